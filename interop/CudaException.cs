namespace LutNative.Interop;

/// <summary>A call of the CUDA driver failed: which call, for what, on which device, and what to do.</summary>
public sealed class CudaException(CudaResult code, string call, string detail, string device)
    : DeviceException(
        DeviceFault.Driver,
        $"{call} failed with {code} ({(int)code}){(detail.Length == 0 ? "" : $" for {detail}")} on {device}: "
            + $"{AdviceOn(code)}",
        call,
        AdviceOn(code)
    )
{
    public CudaResult Code { get; } = code;

    /// <summary>The context cannot be used again: every later call returns the same code.</summary>
    public bool Lost { get; } =
        code
        is >= CudaResult.IllegalAddress
            and <= CudaResult.LaunchFailed
            or CudaResult.EccUncorrectable
            or CudaResult.NvlinkUncorrectable
            or CudaResult.Unknown;

    /// <summary>What to do about a code.</summary>
    public static string AdviceOn(CudaResult code) =>
        code switch
        {
            CudaResult.OutOfMemory =>
                "the device has too little free memory; lower --micro-batch, use --memory recompute, or "
                    + "end other programs on it",
            CudaResult.NoDevice or CudaResult.InvalidDevice =>
                "no such device; `lut doctor` lists those that the driver shows (CUDA_VISIBLE_DEVICES may hide some)",
            CudaResult.UnsupportedPtxVersion or CudaResult.CallRequiresNewerDriver =>
                "the driver is too old: PTX 7.0 needs driver 450 (CUDA 11.0) or later",
            CudaResult.NoBinaryForGpu => "the kernels need compute capability 8.0 (A100, RTX 30) or later",
            CudaResult.InvalidPtx =>
                "the driver's compiler refused a kernel; this is a defect of ours: report it with the log above",
            CudaResult.JitCompilerNotFound or CudaResult.JitCompilationDisabled =>
                "the driver's PTX compiler is missing or disabled (libnvidia-ptxjitcompiler, CUDA_DISABLE_PTX_JIT)",
            CudaResult.StubLibrary =>
                "a stub of libcuda was found in place of the driver's; take the toolkit's stubs folder out "
                    + "of the search path",
            CudaResult.SystemDriverMismatch or CudaResult.SystemNotReady =>
                "driver and kernel module, or the fabric manager, do not fit together; restart the "
                    + "machine's driver services",
            CudaResult.EccUncorrectable or CudaResult.NvlinkUncorrectable =>
                "the hardware reported an error that it could not correct; nothing computed since can be "
                    + "trusted. The last checkpoint is intact",
            CudaResult.IllegalAddress
            or CudaResult.MisalignedAddress
            or CudaResult.LaunchFailed
            or CudaResult.IllegalInstruction
            or CudaResult.InvalidAddressSpace
            or CudaResult.InvalidPc =>
                "a kernel failed and the device is lost to this process; the last checkpoint is intact, "
                    + "resume with --resume. Run the same protocol with --device cuda:emulated to find the line",
            CudaResult.LaunchTimeout => "a kernel ran into the display's time limit; use a device without a display",
            CudaResult.LaunchOutOfResources =>
                "a kernel asks for more registers or threads than this device has; this is a defect of ours: report it",
            _ => "see the driver's documentation of this code",
        };
}
