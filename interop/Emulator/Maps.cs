using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

internal interface IUnary<T>
{
    static abstract Vector512<T> Of(Vector512<T> a);
}

internal interface IBinary<T>
{
    static abstract Vector512<T> Of(Vector512<T> a, Vector512<T> b);
}

internal interface ITernary<T>
{
    static abstract Vector512<T> Of(Vector512<T> a, Vector512<T> b, Vector512<T> c);
}

internal interface ITest<T>
{
    static abstract Vector512<T> Of(Vector512<T> a, Vector512<T> b);
}

/// <summary>A conversion or a rarely used map, one lane at a time.</summary>
internal interface ILane<TIn, TOut>
{
    static abstract TOut Of(TIn a);
}

internal interface ILane2<T>
{
    static abstract T Of(T a, T b);
}

internal interface ILane3<T>
{
    static abstract T Of(T a, T b, T c);
}

/// <summary>Runs a map over the lanes of a warp: whole vectors when all lanes are active, blended otherwise.</summary>
internal static unsafe class Maps
{
    internal static void Unary<T, O>(Warp w, Instruction* i)
        where T : unmanaged
        where O : IUnary<T>
    {
        var d = w.At<Vector512<T>>(i->R[0]);
        var a = w.At<Vector512<T>>(i->R[1]);
        for (int p = 0; p < sizeof(T) / 2; p++)
            Put(w, d, p, O.Of(a[p]));
    }

    internal static void Binary<T, O>(Warp w, Instruction* i)
        where T : unmanaged
        where O : IBinary<T>
    {
        var d = w.At<Vector512<T>>(i->R[0]);
        var a = w.At<Vector512<T>>(i->R[1]);
        var b = w.At<Vector512<T>>(i->R[2]);
        for (int p = 0; p < sizeof(T) / 2; p++)
            Put(w, d, p, O.Of(a[p], b[p]));
    }

    internal static void Ternary<T, O>(Warp w, Instruction* i)
        where T : unmanaged
        where O : ITernary<T>
    {
        var d = w.At<Vector512<T>>(i->R[0]);
        var a = w.At<Vector512<T>>(i->R[1]);
        var b = w.At<Vector512<T>>(i->R[2]);
        var c = w.At<Vector512<T>>(i->R[3]);
        for (int p = 0; p < sizeof(T) / 2; p++)
            Put(w, d, p, O.Of(a[p], b[p], c[p]));
    }

    internal static void Test<T, O>(Warp w, Instruction* i)
        where T : unmanaged
        where O : ITest<T>
    {
        var a = w.At<Vector512<T>>(i->R[1]);
        var b = w.At<Vector512<T>>(i->R[2]);
        uint bits = 0;
        for (int p = 0; p < sizeof(T) / 2; p++)
            bits |= (uint)Vector512.ExtractMostSignificantBits(O.Of(a[p], b[p])) << (p * Vector512<T>.Count);
        w.SetPredicate(i->R[0], bits);
    }

    internal static void Select<T>(Warp w, Instruction* i)
        where T : unmanaged
    {
        var d = w.At<T>(i->R[0]);
        var a = w.At<T>(i->R[1]);
        var b = w.At<T>(i->R[2]);
        uint which = w.Predicates[i->R[3]];
        for (int l = 0; l < 32; l++)
            if ((w.Active >> l & 1) != 0)
                d[l] = (which >> l & 1) != 0 ? a[l] : b[l];
    }

    internal static void Lane<TIn, TOut, O>(Warp w, Instruction* i)
        where TIn : unmanaged
        where TOut : unmanaged
        where O : ILane<TIn, TOut>
    {
        var d = w.At<TOut>(i->R[0]);
        var a = w.At<TIn>(i->R[1]);
        if (sizeof(TIn) < sizeof(TOut))
        {
            // a wide result may lie over its source only if it is another register, which PTX's types guarantee
            for (int l = 31; l >= 0; l--)
                if ((w.Active >> l & 1) != 0)
                    d[l] = O.Of(a[l]);
        }
        else
            for (int l = 0; l < 32; l++)
                if ((w.Active >> l & 1) != 0)
                    d[l] = O.Of(a[l]);
    }

    internal static void Lane2<T, O>(Warp w, Instruction* i)
        where T : unmanaged
        where O : ILane2<T>
    {
        var d = w.At<T>(i->R[0]);
        var a = w.At<T>(i->R[1]);
        var b = w.At<T>(i->R[2]);
        for (int l = 0; l < 32; l++)
            if ((w.Active >> l & 1) != 0)
                d[l] = O.Of(a[l], b[l]);
    }

    internal static void Lane3<T, O>(Warp w, Instruction* i)
        where T : unmanaged
        where O : ILane3<T>
    {
        var d = w.At<T>(i->R[0]);
        var a = w.At<T>(i->R[1]);
        var b = w.At<T>(i->R[2]);
        var c = w.At<T>(i->R[3]);
        for (int l = 0; l < 32; l++)
            if ((w.Active >> l & 1) != 0)
                d[l] = O.Of(a[l], b[l], c[l]);
    }

    /// <summary>A shift: the amount is 32-bit whatever is shifted, and amounts beyond the width clamp.</summary>
    internal static void Shift<T, O>(Warp w, Instruction* i)
        where T : unmanaged
        where O : IShift<T>
    {
        var d = w.At<T>(i->R[0]);
        var a = w.At<T>(i->R[1]);
        var n = w.At<uint>(i->R[2]);
        for (int l = 0; l < 32; l++)
            if ((w.Active >> l & 1) != 0)
                d[l] = O.Of(a[l], (int)Math.Min(n[l], 64));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Put<T>(Warp w, Vector512<T>* d, int p, Vector512<T> v)
        where T : unmanaged =>
        d[p] =
            w.Active == uint.MaxValue
                ? v
                : Vector512.ConditionalSelect(w.Mask(sizeof(T) == 4 ? p : 2 + p).As<int, T>(), v, d[p]);
}

internal interface IShift<T>
{
    static abstract T Of(T a, int n);
}
