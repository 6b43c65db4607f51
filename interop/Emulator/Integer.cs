using System.Numerics;

namespace LutNative.Interop.Emulator;

/// <summary>Integers, bits, predicates, moves.</summary>
internal static unsafe partial class Opcodes
{
    private static void Integer()
    {
        Add("add.s32 add.u32", "Www", &Maps.Binary<int, Plus<int>>);
        Add("sub.s32 sub.u32", "Www", &Maps.Binary<int, Minus<int>>);
        Add("mul.lo.s32 mul.lo.u32", "Www", &Maps.Binary<int, Times<int>>);
        Add("mad.lo.s32 mad.lo.u32", "Wwww", &Maps.Ternary<int, TimesPlus<int>>);
        Add("add.s64 add.u64", "Lll", &Maps.Binary<long, Plus<long>>);
        Add("sub.s64 sub.u64", "Lll", &Maps.Binary<long, Minus<long>>);
        Add("mul.lo.s64 mul.lo.u64", "Lll", &Maps.Binary<long, Times<long>>);
        Add("mad.lo.s64 mad.lo.u64", "Llll", &Maps.Ternary<long, TimesPlus<long>>);
        Add("mul.hi.u32", "Www", &Maps.Lane2<uint, MulHiU>);
        Add("mul.hi.s32", "Www", &Maps.Lane2<int, MulHiI>);
        Add("mul.hi.u64", "Lll", &Maps.Lane2<ulong, MulHiUL>);
        Add("div.s32", "Www", &Maps.Lane2<int, DivI>);
        Add("div.u32", "Www", &Maps.Lane2<uint, DivU>);
        Add("rem.s32", "Www", &Maps.Lane2<int, RemI>);
        Add("rem.u32", "Www", &Maps.Lane2<uint, RemU>);
        Add("div.s64", "Lll", &Maps.Lane2<long, DivL>);
        Add("div.u64", "Lll", &Maps.Lane2<ulong, DivUL>);
        Add("rem.s64", "Lll", &Maps.Lane2<long, RemL>);
        Add("rem.u64", "Lll", &Maps.Lane2<ulong, RemUL>);
        Add("mul.wide.s32", "Lww", &WideS);
        Add("mul.wide.u32", "Lww", &WideU);
        Add("mad.wide.s32", "Lwwl", &MadWideS);
        Add("mad.wide.u32", "Lwwl", &MadWideU);
        Add("neg.s32", "Ww", &Maps.Unary<int, Negative<int>>);
        Add("neg.s64", "Ll", &Maps.Unary<long, Negative<long>>);
        Add("abs.s32", "Ww", &Maps.Unary<int, Magnitude<int>>);
        Add("min.s32", "Www", &Maps.Binary<int, Least<int>>);
        Add("max.s32", "Www", &Maps.Binary<int, Most<int>>);
        Add("min.u32", "Www", &Maps.Binary<uint, Least<uint>>);
        Add("max.u32", "Www", &Maps.Binary<uint, Most<uint>>);
        Add("min.s64", "Lll", &Maps.Binary<long, Least<long>>);
        Add("max.s64", "Lll", &Maps.Binary<long, Most<long>>);
        Add("and.b32", "Www", &Maps.Binary<int, And<int>>);
        Add("or.b32", "Www", &Maps.Binary<int, Or<int>>);
        Add("xor.b32", "Www", &Maps.Binary<int, Xor<int>>);
        Add("not.b32", "Ww", &Maps.Unary<int, Inverted<int>>);
        Add("and.b64", "Lll", &Maps.Binary<long, And<long>>);
        Add("or.b64", "Lll", &Maps.Binary<long, Or<long>>);
        Add("xor.b64", "Lll", &Maps.Binary<long, Xor<long>>);
        Add("not.b64", "Ll", &Maps.Unary<long, Inverted<long>>);
        Add("shl.b32", "Www", &Maps.Shift<uint, ShlU>);
        Add("shr.u32", "Www", &Maps.Shift<uint, ShrU>);
        Add("shr.s32", "Www", &Maps.Shift<int, ShrI>);
        Add("shl.b64", "Llw", &Maps.Shift<ulong, ShlUL>);
        Add("shr.u64", "Llw", &Maps.Shift<ulong, ShrUL>);
        Add("shr.s64", "Llw", &Maps.Shift<long, ShrL>);
        Add("shf.l.wrap.b32", "Wwww", &Maps.Lane3<uint, FunnelLeft>);
        Add("popc.b32", "Ww", &Maps.Lane<uint, uint, Popc>);
        Add("clz.b32", "Ww", &Maps.Lane<uint, uint, Clz>);
        Add("clz.b64", "Wl", &Maps.Lane<ulong, uint, ClzL>);
        Add("bfe.u32", "Wwww", &Maps.Lane3<uint, Bfe>);
        Add("setp.eq.s32 setp.eq.u32 setp.eq.b32", "pww", &Maps.Test<int, Equal<int>>);
        Add("setp.ne.s32 setp.ne.u32 setp.ne.b32", "pww", &Maps.Test<int, Not<int, Equal<int>>>);
        Add("setp.lt.s32", "pww", &Maps.Test<int, Less<int>>);
        Add("setp.le.s32", "pww", &Maps.Test<int, LessOrEqual<int>>);
        Add("setp.gt.s32", "pww", &Maps.Test<int, Greater<int>>);
        Add("setp.ge.s32", "pww", &Maps.Test<int, GreaterOrEqual<int>>);
        Add("setp.lt.u32 setp.lo.u32", "pww", &Maps.Test<uint, Less<uint>>);
        Add("setp.le.u32", "pww", &Maps.Test<uint, LessOrEqual<uint>>);
        Add("setp.gt.u32", "pww", &Maps.Test<uint, Greater<uint>>);
        Add("setp.ge.u32", "pww", &Maps.Test<uint, GreaterOrEqual<uint>>);
        Add("setp.eq.s64 setp.eq.u64 setp.eq.b64", "pll", &Maps.Test<long, Equal<long>>);
        Add("setp.ne.s64 setp.ne.u64 setp.ne.b64", "pll", &Maps.Test<long, Not<long, Equal<long>>>);
        Add("setp.lt.s64", "pll", &Maps.Test<long, Less<long>>);
        Add("setp.le.s64", "pll", &Maps.Test<long, LessOrEqual<long>>);
        Add("setp.gt.s64", "pll", &Maps.Test<long, Greater<long>>);
        Add("setp.ge.s64", "pll", &Maps.Test<long, GreaterOrEqual<long>>);
        Add("setp.lt.u64", "pll", &Maps.Test<ulong, Less<ulong>>);
        Add("setp.le.u64", "pll", &Maps.Test<ulong, LessOrEqual<ulong>>);
        Add("setp.gt.u64", "pll", &Maps.Test<ulong, Greater<ulong>>);
        Add("setp.ge.u64", "pll", &Maps.Test<ulong, GreaterOrEqual<ulong>>);
        Add("and.pred", "ppp", &AndP);
        Add("or.pred", "ppp", &OrP);
        Add("xor.pred", "ppp", &XorP);
        Add("not.pred", "pp", &NotP);
        Add("mov.pred", "pp", &MovP);
        Add("selp.b32 selp.s32 selp.u32 selp.f32", "Wwwp", &Maps.Select<uint>);
        Add("selp.b64 selp.s64 selp.u64 selp.f64", "Lllp", &Maps.Select<ulong>);
        Add("mov.u32 mov.b32 mov.s32 mov.f32", "Ww", &Maps.Unary<int, Same<int>>);
        Add("mov.u64 mov.s64 mov.f64", "Ll", &Maps.Unary<long, Same<long>>);
        Add("mov.b64", "mm", &MoveB64);
    }

    // csharpier-ignore-start - a table
    private readonly struct MulHiU : ILane2<uint> { public static uint Of(uint a, uint b) => (uint)((ulong)a * b >> 32); }
    private readonly struct MulHiI : ILane2<int> { public static int Of(int a, int b) => (int)((long)a * b >> 32); }
    private readonly struct MulHiUL : ILane2<ulong> { public static ulong Of(ulong a, ulong b) => Math.BigMul(a, b, out _); }
    private readonly struct DivI : ILane2<int> { public static int Of(int a, int b) => b == 0 ? -1 : a / b; }
    private readonly struct DivU : ILane2<uint> { public static uint Of(uint a, uint b) => b == 0 ? uint.MaxValue : a / b; }
    private readonly struct RemI : ILane2<int> { public static int Of(int a, int b) => b == 0 ? a : a % b; }
    private readonly struct RemU : ILane2<uint> { public static uint Of(uint a, uint b) => b == 0 ? a : a % b; }
    private readonly struct DivL : ILane2<long> { public static long Of(long a, long b) => b == 0 ? -1 : a / b; }
    private readonly struct DivUL : ILane2<ulong> { public static ulong Of(ulong a, ulong b) => b == 0 ? ulong.MaxValue : a / b; }
    private readonly struct RemL : ILane2<long> { public static long Of(long a, long b) => b == 0 ? a : a % b; }
    private readonly struct RemUL : ILane2<ulong> { public static ulong Of(ulong a, ulong b) => b == 0 ? a : a % b; }
    private readonly struct ShlU : IShift<uint> { public static uint Of(uint a, int n) => n > 31 ? 0 : a << n; }
    private readonly struct ShrU : IShift<uint> { public static uint Of(uint a, int n) => n > 31 ? 0 : a >> n; }
    private readonly struct ShrI : IShift<int> { public static int Of(int a, int n) => a >> Math.Min(n, 31); }
    private readonly struct ShlUL : IShift<ulong> { public static ulong Of(ulong a, int n) => n > 63 ? 0 : a << n; }
    private readonly struct ShrUL : IShift<ulong> { public static ulong Of(ulong a, int n) => n > 63 ? 0 : a >> n; }
    private readonly struct ShrL : IShift<long> { public static long Of(long a, int n) => a >> Math.Min(n, 63); }
    private readonly struct FunnelLeft : ILane3<uint> { public static uint Of(uint a, uint b, uint c) => (uint)((((ulong)b << 32) | a) << (int)(c & 31) >> 32); }
    private readonly struct Popc : ILane<uint, uint> { public static uint Of(uint a) => (uint)BitOperations.PopCount(a); }
    private readonly struct Clz : ILane<uint, uint> { public static uint Of(uint a) => (uint)BitOperations.LeadingZeroCount(a); }
    private readonly struct ClzL : ILane<ulong, uint> { public static uint Of(ulong a) => (uint)BitOperations.LeadingZeroCount(a); }
    private readonly struct Bfe : ILane3<uint> { public static uint Of(uint a, uint b, uint c) => (b & 255) > 31 ? 0 : (uint)(a >> (int)(b & 255) & (1UL << (int)Math.Min(c & 255, 32)) - 1); }
    // csharpier-ignore-end

    private static void WideS(Warp w, Instruction* i) => Wide<int>(w, i, null);

    private static void WideU(Warp w, Instruction* i) => Wide<uint>(w, i, null);

    private static void MadWideS(Warp w, Instruction* i) => Wide<int>(w, i, w.At<long>(i->R[3]));

    private static void MadWideU(Warp w, Instruction* i) => Wide<uint>(w, i, w.At<long>(i->R[3]));

    private static void Wide<T>(Warp w, Instruction* i, long* c)
        where T : unmanaged
    {
        var d = w.At<long>(i->R[0]);
        var a = w.At<int>(i->R[1]);
        var b = w.At<int>(i->R[2]);
        for (int l = 0; l < 32; l++)
            if ((w.Active >> l & 1) != 0)
                d[l] =
                    (typeof(T) == typeof(int) ? (long)a[l] * b[l] : (long)((ulong)(uint)a[l] * (uint)b[l]))
                    + (c == null ? 0 : c[l]);
    }

    /// <summary>A move, or taking a 64-bit value apart into two 32-bit registers, or putting it together.</summary>
    private static void MoveB64(Warp w, Instruction* i)
    {
        int* r = i->R;
        bool apart = i->Vector == 2;
        bool together = i->Immediate == 2;
        for (int l = 0; l < 32; l++)
        {
            if ((w.Active >> l & 1) == 0)
                continue;
            if (apart)
                (w.At<uint>(r[0])[l], w.At<uint>(r[1])[l]) = (
                    (uint)w.At<ulong>(r[2])[l],
                    (uint)(w.At<ulong>(r[2])[l] >> 32)
                );
            else if (together)
                w.At<ulong>(r[0])[l] = w.At<uint>(r[1])[l] | (ulong)w.At<uint>(r[2])[l] << 32;
            else
                w.At<ulong>(r[0])[l] = w.At<ulong>(r[1])[l];
        }
    }

    private static void AndP(Warp w, Instruction* i) =>
        w.SetPredicate(i->R[0], w.Predicates[i->R[1]] & w.Predicates[i->R[2]]);

    private static void OrP(Warp w, Instruction* i) =>
        w.SetPredicate(i->R[0], w.Predicates[i->R[1]] | w.Predicates[i->R[2]]);

    private static void XorP(Warp w, Instruction* i) =>
        w.SetPredicate(i->R[0], w.Predicates[i->R[1]] ^ w.Predicates[i->R[2]]);

    private static void NotP(Warp w, Instruction* i) => w.SetPredicate(i->R[0], ~w.Predicates[i->R[1]]);

    private static void MovP(Warp w, Instruction* i) => w.SetPredicate(i->R[0], w.Predicates[i->R[1]]);
}
