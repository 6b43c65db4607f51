namespace LutNative.Interop.Emulator;

/// <summary>In what order a block's warps take their turns between barriers: any must give the same bits.</summary>
public enum WarpOrder
{
    Ascending,
    Descending,
    Shuffled,
}

/// <summary>How a launch is emulated.</summary>
/// <param name="Order">Order of warps, and of blocks.</param>
/// <param name="SplitLanes">Every lane alone between points of convergence, in a drawn order.</param>
/// <param name="Checks">Find races and uninitialised reads too: several times slower, one thread.</param>
/// <param name="Threads">Threads that share the blocks of a launch when checks are off.</param>
/// <param name="Multiprocessors">What the device says it has, if not one a core of this machine.</param>
/// <param name="Execute">
/// Off: memory has addresses and no contents, and queued work is dropped. What a program asks for can then be seen at
/// any size.
/// </param>
public sealed record EmulationOptions(
    WarpOrder Order = WarpOrder.Ascending,
    bool SplitLanes = false,
    bool Checks = false,
    int Threads = 0,
    int Multiprocessors = 0,
    bool Execute = true
)
{
    /// <summary>What the device answers about itself; compute capability 8.0.</summary>
    internal int Attribute(DeviceAttribute attribute) =>
        attribute switch
        {
            DeviceAttribute.MaxThreadsPerBlock => 1024,
            DeviceAttribute.MaxSharedMemoryPerBlock => 48 << 10,
            DeviceAttribute.MaxSharedMemoryPerBlockOptin => 99 << 10,
            DeviceAttribute.WarpSize => 32,
            DeviceAttribute.MaxRegistersPerBlock => 65536,
            DeviceAttribute.MultiprocessorCount => Multiprocessors > 0 ? Multiprocessors : Environment.ProcessorCount,
            DeviceAttribute.ComputeCapabilityMajor => 8,
            DeviceAttribute.ComputeCapabilityMinor => 0,
            DeviceAttribute.MaxThreadsPerMultiprocessor => 2048,
            _ => 0,
        };
}
