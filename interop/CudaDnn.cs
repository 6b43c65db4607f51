namespace LutNative.Interop;

/// <summary>cuDNN on one stream: batch norm of [N, C] matrices.</summary>
public sealed unsafe class CudaDnn : IDisposable
{
    private const int Nchw = 0;
    private const int Float32 = 0;
    private const int PerActivation = 0;

    private readonly PrimaryContext context;
    private readonly ICudnn library;
    private readonly List<nint> descriptors = [];
    private readonly Dictionary<(bool Forward, int Rows, int Columns, float Momentum, float Epsilon), CudaCall> plans =
    [];
    private nint handle;

    public CudaDnn(PrimaryContext context, ICudnn library)
    {
        this.context = context;
        this.library = library;
        Check(library.Create(out handle), "cudnnCreate");
        context.Own(this);
    }

    /// <summary>"cudnn 91200".</summary>
    public string Version => FormattableString.Invariant($"cudnn {library.GetVersion()}");
    public string Path => library.Name;

    /// <summary>
    /// A call with the addresses of x, y, weight, bias, running mean, running variance, saved mean, saved 1/sqrt(var +
    /// epsilon).
    /// </summary>
    public CudaCall BatchNormForward(int rows, int columns, float momentum, float epsilon) =>
        Plan(true, rows, columns, momentum, epsilon);

    /// <summary>
    /// A call with the addresses of x, dy, dx, weight, dWeight, dBias, saved mean, saved 1/sqrt(var + epsilon).
    /// </summary>
    public CudaCall BatchNormBackward(int rows, int columns, float epsilon) => Plan(false, rows, columns, 0f, epsilon);

    private CudaCall Plan(bool forward, int rows, int columns, float momentum, float epsilon)
    {
        if (!plans.TryGetValue((forward, rows, columns, momentum, epsilon), out var plan))
            plans.Add(
                (forward, rows, columns, momentum, epsilon),
                plan = new BatchNorm(
                    this,
                    forward,
                    Descriptor(rows, columns),
                    Descriptor(1, columns),
                    momentum,
                    epsilon
                )
            );
        return plan;
    }

    private nint Descriptor(int n, int c)
    {
        Check(library.CreateTensorDescriptor(out nint desc), "cudnnCreateTensorDescriptor");
        descriptors.Add(desc);
        Check(library.SetTensor4dDescriptor(desc, Nchw, Float32, n, c, 1, 1), "cudnnSetTensor4dDescriptor");
        return desc;
    }

    private void Check(int status, string call)
    {
        if (status == 0)
            return;
        string advice = status is >= 1001 and <= 1008
            ? "the library could not load its parts; give all of cuDNN's files one folder"
            : "check that the library fits the driver";
        throw new CudaLibraryException(
            $"{call} failed with status {status} on {context.DeviceName}, {Version} of {Path}: {advice}, "
                + "or use --math exact"
        );
    }

    public void Dispose()
    {
        if (handle == 0)
            return;
        foreach (nint d in descriptors)
            library.DestroyTensorDescriptor(d);
        descriptors.Clear();
        plans.Clear();
        library.Destroy(handle);
        context.Disown(this);
        handle = 0;
    }

    private sealed class BatchNorm(
        CudaDnn owner,
        bool forward,
        nint data,
        nint parameters,
        float momentum,
        float epsilon
    ) : CudaCall
    {
        internal override string Name =>
            forward ? "cudnnBatchNormalizationForwardTraining" : "cudnnBatchNormalizationBackward";

        internal override void Run(nint stream, ulong* at)
        {
            float one = 1f;
            float zero = 0f;
            owner.Check(owner.library.SetStream(owner.handle, stream), "cudnnSetStream");
            if (forward)
                owner.Check(
                    owner.library.BatchNormalizationForwardTraining(
                        owner.handle,
                        PerActivation,
                        &one,
                        &zero,
                        data,
                        at[0],
                        data,
                        at[1],
                        parameters,
                        at[2],
                        at[3],
                        momentum,
                        at[4],
                        at[5],
                        epsilon,
                        at[6],
                        at[7]
                    ),
                    "cudnnBatchNormalizationForwardTraining"
                );
            else
                owner.Check(
                    owner.library.BatchNormalizationBackward(
                        owner.handle,
                        PerActivation,
                        &one,
                        &zero,
                        &one,
                        &zero,
                        data,
                        at[0],
                        data,
                        at[1],
                        data,
                        at[2],
                        parameters,
                        at[3],
                        at[4],
                        at[5],
                        epsilon,
                        at[6],
                        at[7]
                    ),
                    "cudnnBatchNormalizationBackward"
                );
        }
    }
}
