namespace LutNative.Interop;

/// <summary>What of a device's software failed.</summary>
public enum DeviceFault
{
    /// <summary>A call of the CUDA driver.</summary>
    Driver,

    /// <summary>A call of cuBLASLt or cuDNN.</summary>
    Library,
}

/// <summary>A device cannot go on; the message says why. Whoever tells a user has a word for each fault.</summary>
/// <param name="where">The call that failed.</param>
/// <param name="advice">What to do about it.</param>
public abstract class DeviceException(DeviceFault fault, string message, string where = "", string advice = "")
    : Exception(message)
{
    public DeviceFault Fault { get; } = fault;
    public string Where { get; } = where;
    public string Advice { get; } = advice;
}
