namespace LutNative.Interop.Emulator;

/// <summary>
/// A kernel did something that no GPU may be trusted with: the message names module, kernel, PTX line, block and lanes.
/// </summary>
internal sealed class PtxFault(string module, string kernel, int line, string where, string what, CudaResult code)
    : Exception($"{module}:{line}: kernel {kernel}, {where}: {what}")
{
    public int Line { get; } = line;
    public CudaResult Code { get; } = code;
}
