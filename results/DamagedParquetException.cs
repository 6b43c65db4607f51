namespace LutNative.Results;

/// <summary>
/// A Parquet file claims what cannot be, or more than its reader agreed to: <see cref="Exception.Message"/> says what.
/// </summary>
public sealed class DamagedParquetException(string why) : Exception(why);
