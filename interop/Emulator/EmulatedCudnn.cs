namespace LutNative.Interop.Emulator;

/// <summary>cuDNN for the emulated device: batch norm per activation, sums in double.</summary>
public sealed unsafe class EmulatedCudnn(EmulatedDriver driver) : ICudnn
{
    private const int Success = 0;
    private const int BadParameter = 2000;

    private sealed class Handle
    {
        public nint Stream;
    }

    private sealed class Tensor
    {
        public int N;
        public int C;
    }

    public string Name => "emulator";

    public nuint GetVersion() => 0;

    public int Create(out nint handle) => Made(out handle, new Handle());

    public int Destroy(nint handle) => driver.Remove<Handle>(handle) == 0 ? Success : BadParameter;

    public int SetStream(nint handle, nint stream)
    {
        if (!driver.Find<Handle>(handle, out var h))
            return BadParameter;
        h.Stream = stream;
        return Success;
    }

    public int CreateTensorDescriptor(out nint desc) => Made(out desc, new Tensor());

    public int SetTensor4dDescriptor(nint desc, int format, int type, int n, int c, int h, int w)
    {
        if (!driver.Find<Tensor>(desc, out var t) || format != 0 || type != 0 || h != 1 || w != 1 || n <= 0 || c <= 0)
            return BadParameter;
        (t.N, t.C) = (n, c);
        return Success;
    }

    public int DestroyTensorDescriptor(nint desc) => driver.Remove<Tensor>(desc) == 0 ? Success : BadParameter;

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
    )
    {
        if (
            !Shapes(handle, mode, xDesc, bnDesc, out var h, out int n, out int c)
            || epsilon < 0
            || *alpha != 1f
            || *beta != 0f
        )
            return BadParameter;
        return driver.Enqueue(
            h.Stream,
            () =>
            {
                float* from = In(x, n, c);
                float* to = Out(y, n, c);
                float* w = In(scale, 1, c);
                float* b = In(bias, 1, c);
                float* mean = Out(runningMean, 1, c);
                float* variance = Out(runningVariance, 1, c);
                float* saved = Out(saveMean, 1, c);
                float* inverse = Out(saveInvVariance, 1, c);
                for (int j = 0; j < c; j++)
                {
                    double sum = 0;
                    double squares = 0;
                    for (int i = 0; i < n; i++)
                        sum += from[i * c + j];
                    double m = sum / n;
                    for (int i = 0; i < n; i++)
                        squares += (from[i * c + j] - m) * (from[i * c + j] - m);
                    double rstd = 1 / Math.Sqrt(squares / n + epsilon);
                    for (int i = 0; i < n; i++)
                        to[i * c + j] = (float)((from[i * c + j] - m) * rstd * w[j] + b[j]);
                    (saved[j], inverse[j]) = ((float)m, (float)rstd);
                    mean[j] = (float)((1 - factor) * mean[j] + factor * m);
                    variance[j] = (float)((1 - factor) * variance[j] + factor * squares / (n - 1));
                }
            }
        );
    }

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
    )
    {
        if (
            !Shapes(handle, mode, xDesc, bnDesc, out var h, out int n, out int c)
            || *alphaData != 1f
            || *betaData != 0f
            || *alphaParam != 1f
            || *betaParam != 0f
        )
            return BadParameter;
        return driver.Enqueue(
            h.Stream,
            () =>
            {
                float* from = In(x, n, c);
                float* g = In(dy, n, c);
                float* to = Out(dx, n, c);
                float* w = In(scale, 1, c);
                float* dw = Out(dScale, 1, c);
                float* db = Out(dBias, 1, c);
                float* mean = In(savedMean, 1, c);
                float* inverse = In(savedInvVariance, 1, c);
                for (int j = 0; j < c; j++)
                {
                    double s1 = 0;
                    double s2 = 0;
                    for (int i = 0; i < n; i++)
                    {
                        s1 += g[i * c + j];
                        s2 += g[i * c + j] * (double)(from[i * c + j] - mean[j]) * inverse[j];
                    }
                    (db[j], dw[j]) = ((float)s1, (float)s2);
                    for (int i = 0; i < n; i++)
                        to[i * c + j] = (float)(
                            w[j]
                            * inverse[j]
                            * (g[i * c + j] - s1 / n - (from[i * c + j] - mean[j]) * inverse[j] * s2 / n)
                        );
                }
            }
        );
    }

    private bool Shapes(nint handle, int mode, nint xDesc, nint bnDesc, out Handle h, out int n, out int c)
    {
        (n, c) = (0, 0);
        if (
            !driver.Find(handle, out h)
            || mode != 0
            || !driver.Find<Tensor>(xDesc, out var t)
            || !driver.Find<Tensor>(bnDesc, out var p)
            || p.N != 1
            || p.C != t.C
        )
            return false;
        (n, c) = (t.N, t.C);
        return true;
    }

    private float* In(ulong address, int n, int c) => (float*)driver.Host(address, 4UL * (ulong)n * (ulong)c);

    private float* Out(ulong address, int n, int c) => (float*)driver.HostWritten(address, 4UL * (ulong)n * (ulong)c);

    private int Made(out nint handle, object o)
    {
        handle = driver.Add(o);
        return Success;
    }
}
