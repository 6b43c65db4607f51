using LutNative.Interop.Emulator;

namespace LutNative.Interop.Tests;

/// <summary>
/// A driver with one module and buffers of floats; everything is freed at the end and nothing may be left.
/// </summary>
internal sealed unsafe class EmulatorRig : IDisposable
{
    public readonly EmulatedDriver Driver;
    public readonly PrimaryContext Context;
    public readonly CudaQueue Queue;

    public EmulatorRig(EmulationOptions options)
    {
        Driver = new EmulatedDriver(options, 64 << 20);
        Context = new PrimaryContext(Driver, 0);
        Queue = Context.CreateQueue();
    }

    public float* Floats(params float[] values)
    {
        var memory = Context.Allocate(values.Length * 4);
        fixed (float* p = values)
            Queue.CopyToDevice(memory.Pointer, p, memory.Bytes);
        Queue.Synchronize();
        return (float*)memory.Pointer;
    }

    public float* Poison(int n) => (float*)Context.Allocate(4 * n).Pointer;

    public void Run(string ptx, int blocks, int threads, params ReadOnlySpan<Argument> arguments) =>
        Queue.Launch(Context.Load("k", ptx).Kernels["k"], (blocks, 1, 1), threads, arguments);

    public float[] Read(float* p, int n)
    {
        var values = new float[n];
        fixed (float* v = values)
        {
            Queue.CopyToHost(v, p, 4 * n);
            Queue.Synchronize();
        }
        return values;
    }

    internal PtxFault Fails(CudaResult code)
    {
        Assert.Equal(code, Assert.Throws<CudaException>(Queue.Synchronize).Code);
        return Assert.IsType<PtxFault>(Driver.Fault);
    }

    public void Dispose()
    {
        Context.Dispose();
        Assert.Equal(0, Driver.LiveHandles);
        Driver.Dispose();
    }

    /// <summary>A kernel k with a body: %r1 is the thread, %rd4 the address of its word of the first tensor.</summary>
    internal static string Kernel(string body, string parameters = ".param .u64 k_param_0", string shared = "") =>
        $$"""
            .version 7.0
            .target sm_80
            .address_size 64
            .visible .entry k({{parameters}})
            .maxntid 64, 1, 1
            {
                .reg .pred %p<5>;
                .reg .b32 %r<10>;
                .reg .f32 %f<10>;
                .reg .b64 %rd<10>;
                {{shared}}
                ld.param.u64 %rd1, [k_param_0];
                cvta.to.global.u64 %rd2, %rd1;
                mov.u32 %r1, %tid.x;
                mul.wide.u32 %rd3, %r1, 4;
                add.s64 %rd4, %rd2, %rd3;
                {{body}}
                ret;
            }
            """;
}
