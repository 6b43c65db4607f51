namespace LutNative.Interop;

/// <summary>
/// The calls of cuDNN 9 that this project makes: batch norm of [N, C] in cudnnBatchNormMode_t PER_ACTIVATION, which has
/// deterministic sums. Every call returns a cudnnStatus_t (0 is success). Source: cudnn_ops.h and cudnn_cnn.h of cuDNN
/// 9. Two implementations: <see cref="NvidiaCudnn"/>, <see cref="Emulator.EmulatedCudnn"/>.
/// </summary>
public unsafe interface ICudnn
{
    /// <summary>The library's path, or "emulator".</summary>
    string Name { get; }

    nuint GetVersion();
    int Create(out nint handle);
    int Destroy(nint handle);
    int SetStream(nint handle, nint stream);
    int CreateTensorDescriptor(out nint desc);
    int SetTensor4dDescriptor(nint desc, int format, int type, int n, int c, int h, int w);
    int DestroyTensorDescriptor(nint desc);

    /// <summary>
    /// running = (1 - factor) running + factor statistic, the variance unbiased; saveInvVariance = 1 / sqrt(var +
    /// epsilon).
    /// </summary>
    int BatchNormalizationForwardTraining(
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

    int BatchNormalizationBackward(
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
