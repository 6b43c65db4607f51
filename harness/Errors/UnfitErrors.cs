namespace LutNative.Harness.Errors;

/// <summary>This machine, its device, its memory or its limits are not enough.</summary>
internal static class UnfitErrors
{
    internal static LutError CannotKeepContract(string where, string why) =>
        new(
            Exit.Unfit,
            1,
            "this machine cannot keep the contract",
            where,
            why,
            "use a machine (or DOTNET_ settings) with hardware fused multiply-add and default rounding; nothing that was computed meanwhile was recorded"
        );

    /// <param name="variable">The environment variable that names folders of native libraries.</param>
    internal static LutError NoCudaDriver(string device, string why, string variable) =>
        new(
            Exit.Unfit,
            10,
            "there is no CUDA driver",
            "--device " + device,
            why,
            $"install NVIDIA's driver, name its folder in {variable}, or use --device cuda:emulated or cpu: the bits are the same"
        );

    internal static LutError CannotUseCuda(string device, string why) =>
        new(
            Exit.Unfit,
            11,
            "the CUDA device cannot be used",
            "--device " + device,
            why,
            "use --device cpu meanwhile: the bits are the same"
        );

    /// <param name="call">Of the driver's interface.</param>
    /// <param name="advice">What to do about the code that it gave.</param>
    internal static LutError CudaFailed(string call, string why, string advice) =>
        new(Exit.Unfit, 12, "the CUDA device failed", call, why, advice);

    internal static LutError TooLittleOnDevice(
        string device,
        long? deviceBytes,
        long predictedBytes,
        string why,
        string fix
    ) =>
        new(
            Exit.Unfit,
            13,
            "the device has too little memory",
            $"--device {device}, {deviceBytes >> 20} MiB",
            $"the run was predicted to need {predictedBytes >> 20} MiB; {why}",
            fix
        );

    internal static LutError NoRunToRunLibrary(string why, string variable) =>
        new(
            Exit.Unfit,
            14,
            "--math run-to-run lacks a library",
            "--math run-to-run",
            why,
            $"name the folders of cuBLAS and cuDNN 9 in {variable} (a PyTorch installation has both, under nvidia/), or use --math exact, which needs neither"
        );

    internal static LutError CudaLibraryFailed(string why) =>
        new(
            Exit.Unfit,
            15,
            "a library of NVIDIA's failed",
            "--math run-to-run",
            why,
            "use --math exact meanwhile; the last checkpoint is intact"
        );

    internal static LutError TooFewFiles(string why, int enough) =>
        new(
            Exit.Unfit,
            460,
            "this process may open too few files",
            "the limit of open files",
            why,
            $"raise it: ulimit -n {enough}"
        );

    internal static LutError TooLittleMemory(long machineBytes, string why) =>
        new(
            Exit.Unfit,
            461,
            "there is too little memory",
            $"this machine, {machineBytes >> 20} MiB",
            why,
            "`lut plan PROTOCOL` says what a run needs: use --memory recompute, a smaller --micro-batch or "
                + "--data-workers 0, or a machine with more; what is on disk is whole"
        );

    internal static LutError LaunchDied(string program, int code) =>
        new(
            Exit.Unfit,
            464,
            "a launch of the benchmark died",
            program,
            $"it ended with code {code}; above 128 that is a signal",
            "look for what ended it (memory, a limit of time), and run it again"
        );

    internal static LutError UnfitNight(string row, string night, IEnumerable<string> why) =>
        new(
            Exit.Unfit,
            488,
            $"the night was not fit to be a baseline: {row}",
            night,
            string.Join("; ", why),
            "measure again on an idle machine, or add --force (the file will say so)"
        );

    internal static LutError DoesNotFit(string shape, string device, string memory, int batch) =>
        new(
            Exit.Unfit,
            489,
            $"{shape} does not fit {device}",
            $"--memory {memory} --batch {batch}",
            "not even one sample at once with recomputed activations",
            "plan a card with more memory, or a smaller batch"
        );
}
