// The contract's unary functions (docs/NUMERICS.md rule 5): binary64 inside, one rounding to binary32. The same
// polynomials and coefficients as model/Numerics/Unary.cs and UnarySimd.cs, which say where they come from; equal to
// them bit for bit.
#pragma once
#include "device.cuh"

/// e^x for |x| up to 700.
DEVICE double exp_d(double x)
{
    const double shifter = 6755399441055744.0;
    double t = fma(x, 1.4426950408889634, shifter);
    double k = t - shifter;
    double r = fma(k, -0.6931471805599453, x);
    r = fma(k, -2.3190468138462996e-17, r);
    double p = 1.0 / 479001600;
    p = fma(p, r, 1.0 / 39916800);
    p = fma(p, r, 1.0 / 3628800);
    p = fma(p, r, 1.0 / 362880);
    p = fma(p, r, 1.0 / 40320);
    p = fma(p, r, 1.0 / 5040);
    p = fma(p, r, 1.0 / 720);
    p = fma(p, r, 1.0 / 120);
    p = fma(p, r, 1.0 / 24);
    p = fma(p, r, 1.0 / 6);
    p = fma(p, r, 0.5);
    p = fma(p, r, 1.0);
    p = fma(p, r, 1.0);
    return bits<double>(bits<long>(p) + (bits<long>(t) << 52));
}

/// Correctly rounded e^x.
DEVICE float exp_cr(float x)
{
    if (x != x) return x;
    if (x > 89.0f) return bits<float>(0x7f800000);
    if (x < -104.0f) return 0.0f;
    return (float)exp_d(x);
}

template <int N>
DEVICE double horner(double z, const double (&c)[N])
{
    double p = c[N - 1];
#pragma unroll
    for (int i = N - 2; i >= 0; i--) p = fma(p, z, c[i]);
    return p;
}

/// erf beyond 2 for a positive argument, from fdlibm's published coefficients: 1 - e^(-x^2 - 0.5625 + R/S)/x up to 4,
/// then 1.
DEVICE double erf_tail(double a)
{
    if (a > 4.0) return 1.0;
    const double low_r[] = {-9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e+01,
                            -6.23753324503260060396e+01, -1.62396669462573470355e+02, -1.84605092906711035994e+02,
                            -8.12874355063065934246e+01, -9.81432934416914548592e+00};
    const double low_s[] = {1.0,
                            1.96512716674392571292e+01,
                            1.37657754143519042600e+02,
                            4.34565877475229228821e+02,
                            6.45387271733267880336e+02,
                            4.29008140027567833386e+02,
                            1.08635005541779435134e+02,
                            6.57024977031928170135e+00,
                            -6.04244152148580987438e-02};
    const double high_r[] = {-9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e+01,
                             -1.60636384855821916062e+02, -6.37566443368389627722e+02, -1.02509513161107724954e+03,
                             -4.83519191608651397019e+02};
    const double high_s[] = {1.0,
                             3.03380607434824582924e+01,
                             3.25792512996573918826e+02,
                             1.53672958608443695994e+03,
                             3.19985821950859553908e+03,
                             2.55305040643316442583e+03,
                             4.74528541206955367215e+02,
                             -2.24409524465858183362e+01};
    double s = 1.0 / (a * a);
    double ratio = a < 1 / 0.35 ? horner(s, low_r) / horner(s, low_s) : horner(s, high_r) / horner(s, high_s);
    return 1.0 - exp_d(-a * a - 0.5625 + ratio) / a;
}

/// Correctly rounded erf(x).
DEVICE float erf_cr(float x)
{
    double d = x;
    if (x > 2.0f) return (float)erf_tail(d);
    if (x < -2.0f) return (float)-erf_tail(-d);
    double u = fma(d, d, -2.0);
    double h = 2.576375703286432e-16;
    h = fma(h, u, -4.520365225465119e-15);
    h = fma(h, u, 6.924384589713228e-14);
    h = fma(h, u, -1.05027192481602e-12);
    h = fma(h, u, 1.4940237159534567e-11);
    h = fma(h, u, -1.9752062062256976e-10);
    h = fma(h, u, 2.4177762331030922e-09);
    h = fma(h, u, -2.723880285331758e-08);
    h = fma(h, u, 2.8047268727789343e-07);
    h = fma(h, u, -2.6183088711347126e-06);
    h = fma(h, u, 2.1954553496820988e-05);
    h = fma(h, u, -0.00016358986987025616);
    h = fma(h, u, 0.0010705215357373174);
    h = fma(h, u, -0.006082847181147105);
    h = fma(h, u, 0.029869784652463212);
    h = fma(h, u, -0.13055593046562247);
    h = fma(h, u, -0.32506676396034495);
    return (float)fma(d, h, d);
}

/// Correctly rounded ln(x), with a rounding to odd before the last one.
DEVICE float log_cr(float x)
{
    if (x != x || x < 0.0f) return bits<float>(0x7fc00000);
    if (x == 0.0f) return bits<float>(0xff800000);
    if (bits<uint>(x) == 0x7f800000) return x;
    const long half_root = 0x3fe6a09e00000000;
    long moved = bits<long>((double)x) + (0x3ff0000000000000 - half_root);
    double k = (double)(int)((moved >> 52) - 1023);
    double f = bits<double>((moved & 0x000fffffffffffff) + half_root) - 1.0;
    double s = f / (2.0 + f), half = 0.5 * f * f, z = s * s;
    double r = 1.479819860511658591e-01;
    r = fma(r, z, 1.531383769920937332e-01);
    r = fma(r, z, 1.818357216161805012e-01);
    r = fma(r, z, 2.222219843214978396e-01);
    r = fma(r, z, 2.857142874366239149e-01);
    r = fma(r, z, 3.999999999940941908e-01);
    r = fma(r, z, 6.666666666666735130e-01) * z;
    double lo = f - (half - fma(s, half + r, k * 1.90821492927058770002e-10));
    if (k == 0) return (float)lo;
    double hi = k * 6.93147180369123816490e-01, sum = hi + lo, bb = sum - hi, e = (hi - (sum - bb)) + (lo - bb);
    // the last bit of an inexact sum is made odd: toward e where it is even
    if (e != 0 && (bits<long>(sum) & 1) == 0) sum = bits<double>(bits<long>(sum) + ((e > 0) == (sum > 0) ? 1 : -1));
    return (float)sum;
}

/// Correctly rounded 1/sqrt(x).
DEVICE float rsqrt_cr(float x) { return (float)(1.0 / root((double)x)); }

/// GELU's value, erf kept (docs/NUMERICS.md rule 9).
DEVICE float gelu(float x, float& erf)
{
    erf = erf_cr(x * 0.70710677f);
    return (0.5f * x) * (1.0f + erf);
}

DEVICE float gelu_backward(float dy, float x, float erf)
{
    float cdf = 0.5f * (1.0f + erf), pdf = exp_cr(-0.5f * (x * x)) * 0.39894229f;
    return dy * fma(x, pdf, cdf);
}
