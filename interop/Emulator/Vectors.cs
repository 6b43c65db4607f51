using System.Runtime.Intrinsics;

namespace LutNative.Interop.Emulator;

// What most opcodes do to a vector, once for all types.
// csharpier-ignore-start - a table
internal readonly struct Plus<T> : IBinary<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a + b; }
internal readonly struct Minus<T> : IBinary<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a - b; }
internal readonly struct Times<T> : IBinary<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a * b; }
internal readonly struct Over<T> : IBinary<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a / b; }
internal readonly struct TimesPlus<T> : ITernary<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b, Vector512<T> c) => a * b + c; }
internal readonly struct Root<T> : IUnary<T> { public static Vector512<T> Of(Vector512<T> a) => Vector512.Sqrt(a); }
internal readonly struct Reciprocal<T> : IUnary<T> { public static Vector512<T> Of(Vector512<T> a) => Vector512<T>.One / a; }
internal readonly struct Magnitude<T> : IUnary<T> { public static Vector512<T> Of(Vector512<T> a) => Vector512.Abs(a); }
internal readonly struct Negative<T> : IUnary<T> { public static Vector512<T> Of(Vector512<T> a) => -a; }
internal readonly struct Least<T> : IBinary<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.Min(a, b); }
internal readonly struct Most<T> : IBinary<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.Max(a, b); }
internal readonly struct And<T> : IBinary<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a & b; }
internal readonly struct Or<T> : IBinary<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a | b; }
internal readonly struct Xor<T> : IBinary<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a ^ b; }
internal readonly struct Inverted<T> : IUnary<T> { public static Vector512<T> Of(Vector512<T> a) => ~a; }
internal readonly struct Same<T> : IUnary<T> { public static Vector512<T> Of(Vector512<T> a) => a; }
internal readonly struct Equal<T> : ITest<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.Equals(a, b); }
internal readonly struct Less<T> : ITest<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.LessThan(a, b); }
internal readonly struct LessOrEqual<T> : ITest<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.LessThanOrEqual(a, b); }
internal readonly struct Greater<T> : ITest<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.GreaterThan(a, b); }
internal readonly struct GreaterOrEqual<T> : ITest<T> { public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.GreaterThanOrEqual(a, b); }
// csharpier-ignore-end

/// <summary>Neither is NaN.</summary>
internal readonly struct Ordered<T> : ITest<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.Equals(a, a) & Vector512.Equals(b, b);
}

/// <summary>The opposite of a test: true where an operand is NaN, as PTX's unordered comparisons are.</summary>
internal readonly struct Not<T, O> : ITest<T>
    where O : ITest<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => ~O.Of(a, b);
}
