namespace LutNative.Interop.Emulator;

/// <summary>A kernel with its grid and a copy of its arguments, ready to run, once or again.</summary>
internal sealed unsafe class Launch(
    PtxKernel kernel,
    (int X, int Y, int Z) grid,
    (int X, int Y, int Z) block,
    int dynamicShared,
    byte[] arguments
)
{
    internal PtxKernel Kernel { get; } = kernel;

    /// <summary>The launch, or null where a driver would refuse it.</summary>
    internal static Launch? Of(
        PtxKernel kernel,
        (uint X, uint Y, uint Z) grid,
        (uint X, uint Y, uint Z) block,
        uint sharedBytes,
        void** parameters
    )
    {
        uint threads = block.X * block.Y * block.Z;
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0 || grid.Y > 65535 || grid.Z > 65535)
            return null;
        if (threads == 0 || threads > 1024 || (kernel.MaxThreads > 0 && threads > kernel.MaxThreads))
            return null;
        var arguments = new byte[kernel.ParameterBytes];
        for (int i = 0; i < kernel.Parameters.Count; i++)
            new ReadOnlySpan<byte>(parameters[i], kernel.Parameters[i].Bytes).CopyTo(
                arguments.AsSpan(kernel.Parameters[i].Offset)
            );
        return new Launch(
            kernel,
            ((int)grid.X, (int)grid.Y, (int)grid.Z),
            ((int)block.X, (int)block.Y, (int)block.Z),
            (int)sharedBytes,
            arguments
        );
    }

    /// <summary>
    /// Runs every block. With checks, on one thread in the asked order; otherwise threads share the blocks, which may
    /// run in any order.
    /// </summary>
    internal void Run(DeviceMemory memory, EmulationOptions options)
    {
        int blocks = grid.X * grid.Y * grid.Z;
        int threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount;
        if (options.Checks || options.SplitLanes || options.Order != WarpOrder.Ascending)
            threads = 1;
        if (options.Checks)
            memory.BeginLaunch();
        fixed (byte* parameters = arguments.Length == 0 ? new byte[1] : arguments)
        {
            byte* p = parameters;
            if (threads == 1 || blocks == 1)
            {
                using var one = new Block(Kernel, memory, grid, block, dynamicShared, p, options, 1);
                for (int i = 0; i < blocks; i++)
                    Run(one, options.Order == WarpOrder.Ascending ? i : blocks - 1 - i);
                return;
            }
            int next = 0;
            Exception? failure = null;
            Parallel.For(
                0,
                Math.Min(threads, blocks),
                new ParallelOptions { MaxDegreeOfParallelism = threads },
                t =>
                {
                    try
                    {
                        using var mine = new Block(Kernel, memory, grid, block, dynamicShared, p, options, t);
                        for (int i; failure is null && (i = Interlocked.Increment(ref next) - 1) < blocks; )
                            Run(mine, i);
                    }
                    catch (Exception e)
                    {
                        Interlocked.CompareExchange(ref failure, e, null);
                    }
                }
            );
            if (failure is not null)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    private void Run(Block b, int i) => b.Run(i % grid.X, i / grid.X % grid.Y, i / (grid.X * grid.Y), i);
}
