namespace LutNative.Model.Numerics;

/// <summary>One float: the tails of vector loops run the same formula through this witness.</summary>
public readonly unsafe struct Lanes1 : ILanes<float>
{
    public static int Count => 1;

    public static float Load(float* p) => *p;

    public static void Store(float v, float* p) => *p = v;

    public static float Set(float x) => x;

    public static float Add(float a, float b) => a + b;

    public static float Sub(float a, float b) => a - b;

    public static float Mul(float a, float b) => a * b;

    public static float Div(float a, float b) => a / b;

    public static float Sqrt(float a) => MathF.Sqrt(a);

    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    public static float Larger(float a, float b) => a > b ? a : b;

    public static float WherePositive(float gate, float x) => gate > 0f ? x : 0f;

    public static bool AnyAbove(float x, float limit) => x > limit;

    public static float Exp(float x) => Unary.Exp(x);

    public static float Erf(float x) => Unary.Erf(x);

    public static float ErfNear(float x) => Unary.Erf(x);

    public static float Tanh(float x) => Unary.Tanh(x);

    public static float Log(float x) => Unary.Log(x);

    public static float Rsqrt(float x) => Unary.Rsqrt(x);
}
