using System.Runtime.InteropServices;

namespace LutNative.Interop;

/// <summary>cuDNN 9 of this machine. Source: cudnn_ops.h.</summary>
public sealed unsafe partial class NvidiaCudnn : ICudnn
{
    private const string Dnn = "cudnn";

    /// <exception cref="DllNotFoundException">There is no such library, or it lacks an entry point.</exception>
    public NvidiaCudnn() => Name = NativeLibraries.Require(Dnn, EntryPoints, "cuDNN 9");

    public string Name { get; }

    public static IReadOnlyList<string> EntryPoints { get; } =
    [
        "cudnnGetVersion",
        "cudnnCreate",
        "cudnnDestroy",
        "cudnnSetStream",
        "cudnnCreateTensorDescriptor",
        "cudnnSetTensor4dDescriptor",
        "cudnnDestroyTensorDescriptor",
        "cudnnBatchNormalizationForwardTraining",
        "cudnnBatchNormalizationBackward",
    ];

    public nuint GetVersion() => cudnnGetVersion();

    public int Create(out nint handle) => cudnnCreate(out handle);

    public int Destroy(nint handle) => cudnnDestroy(handle);

    public int SetStream(nint handle, nint stream) => cudnnSetStream(handle, stream);

    public int CreateTensorDescriptor(out nint desc) => cudnnCreateTensorDescriptor(out desc);

    public int SetTensor4dDescriptor(nint desc, int format, int type, int n, int c, int h, int w) =>
        cudnnSetTensor4dDescriptor(desc, format, type, n, c, h, w);

    public int DestroyTensorDescriptor(nint desc) => cudnnDestroyTensorDescriptor(desc);

    public int BatchNormalizationForwardTraining(
        nint handle,
        int mode,
        float* alpha,
        float* beta,
        nint xDesc,
        ulong x,
        nint yDesc,
        ulong y,
        nint bnDesc,
        ulong scale,
        ulong bias,
        double factor,
        ulong runningMean,
        ulong runningVariance,
        double epsilon,
        ulong saveMean,
        ulong saveInvVariance
    ) =>
        cudnnBatchNormalizationForwardTraining(
            handle,
            mode,
            alpha,
            beta,
            xDesc,
            x,
            yDesc,
            y,
            bnDesc,
            scale,
            bias,
            factor,
            runningMean,
            runningVariance,
            epsilon,
            saveMean,
            saveInvVariance
        );

    public int BatchNormalizationBackward(
        nint handle,
        int mode,
        float* alphaData,
        float* betaData,
        float* alphaParam,
        float* betaParam,
        nint xDesc,
        ulong x,
        nint dyDesc,
        ulong dy,
        nint dxDesc,
        ulong dx,
        nint bnDesc,
        ulong scale,
        ulong dScale,
        ulong dBias,
        double epsilon,
        ulong savedMean,
        ulong savedInvVariance
    ) =>
        cudnnBatchNormalizationBackward(
            handle,
            mode,
            alphaData,
            betaData,
            alphaParam,
            betaParam,
            xDesc,
            x,
            dyDesc,
            dy,
            dxDesc,
            dx,
            bnDesc,
            scale,
            dScale,
            dBias,
            epsilon,
            savedMean,
            savedInvVariance
        );

    [LibraryImport(Dnn)]
    private static partial nuint cudnnGetVersion();

    [LibraryImport(Dnn)]
    private static partial int cudnnCreate(out nint handle);

    [LibraryImport(Dnn)]
    private static partial int cudnnDestroy(nint handle);

    [LibraryImport(Dnn)]
    private static partial int cudnnSetStream(nint handle, nint stream);

    [LibraryImport(Dnn)]
    private static partial int cudnnCreateTensorDescriptor(out nint desc);

    [LibraryImport(Dnn)]
    private static partial int cudnnSetTensor4dDescriptor(nint desc, int format, int type, int n, int c, int h, int w);

    [LibraryImport(Dnn)]
    private static partial int cudnnDestroyTensorDescriptor(nint desc);

    [LibraryImport(Dnn)]
    private static partial int cudnnBatchNormalizationForwardTraining(
        nint handle,
        int mode,
        float* alpha,
        float* beta,
        nint xDesc,
        ulong x,
        nint yDesc,
        ulong y,
        nint bnDesc,
        ulong scale,
        ulong bias,
        double factor,
        ulong runningMean,
        ulong runningVariance,
        double epsilon,
        ulong saveMean,
        ulong saveInvVariance
    );

    [LibraryImport(Dnn)]
    private static partial int cudnnBatchNormalizationBackward(
        nint handle,
        int mode,
        float* alphaData,
        float* betaData,
        float* alphaParam,
        float* betaParam,
        nint xDesc,
        ulong x,
        nint dyDesc,
        ulong dy,
        nint dxDesc,
        ulong dx,
        nint bnDesc,
        ulong scale,
        ulong dScale,
        ulong dBias,
        double epsilon,
        ulong savedMean,
        ulong savedInvVariance
    );
}
