using System.Runtime.CompilerServices;

namespace LutNative.Model.Tensors;

/// <summary>
/// A row-major matrix [Rows, Cols] of floats in memory that somebody else owns (an <see cref="Arena"/>). Every tensor
/// of the network is used as a matrix: tokens are rows, channels are columns; a vector is one row. A value type: views
/// cost nothing.
/// </summary>
public readonly unsafe struct Mat(float* data, int rows, int cols)
{
    public readonly float* Data = data;
    public readonly int Rows = rows;
    public readonly int Cols = cols;

    public long Count => (long)Rows * Cols;
    public bool IsEmpty => Data == null;

    public float* Row(int r) => Data + (long)r * Cols;

    /// <summary>Rows [first, first + count) as a view.</summary>
    public Mat Slice(int first, int count) => new(Data + (long)first * Cols, count, Cols);

    public Span<float> Span => new(Data, checked((int)Count));

    public override string ToString() => FormattableString.Invariant($"[{Rows}, {Cols}]");

    /// <summary>Checks a shape before an operation runs; the message carries both shapes.</summary>
    public void Require(
        int rows,
        int cols,
        [CallerArgumentExpression(nameof(rows))] string r = "",
        [CallerArgumentExpression(nameof(cols))] string c = ""
    )
    {
        if (Rows != rows || Cols != cols || Data == null)
            throw new ShapeException(
                FormattableString.Invariant($"a tensor is {this} where [{rows}, {cols}] (= [{r}, {c}]) is needed")
            );
    }
}
