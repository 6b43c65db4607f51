using static LutNative.Results.ThriftType;

namespace LutNative.Results;

/// <summary>
/// The structures of a Parquet file's footer and page headers: all that Parquet.Net 6.1 knows, because what it knows it
/// reads by that type. Source: parquet.thrift of parquet-format.
/// </summary>
internal static class ParquetLayout
{
    private static ThriftField F(int id, string name, ThriftType type, bool required = false) =>
        new(id, name, type, Required: required);

    private static ThriftField Of(int id, string name, ThriftLayout layout, bool required = false, bool kept = false) =>
        new(id, name, Struct, layout, Required: required, Kept: kept);

    private static ThriftField ListOf(int id, string name, ThriftType element, bool required = false) =>
        new(id, name, ThriftType.List, Element: element, Required: required);

    private static ThriftField ListOf(
        int id,
        string name,
        ThriftLayout layout,
        bool required = false,
        bool kept = false
    ) => new(id, name, ThriftType.List, layout, Struct, required, kept);

    private static readonly ThriftLayout Empty = new("an empty structure");

    private static readonly ThriftLayout KeyValue = new("KeyValue", F(1, "key", Binary, true), F(2, "value", Binary));

    private static readonly ThriftLayout Statistics = new(
        "Statistics",
        F(1, "max", Binary),
        F(2, "min", Binary),
        F(3, "null_count", I64),
        F(4, "distinct_count", I64),
        F(5, "max_value", Binary),
        F(6, "min_value", Binary),
        F(7, "is_max_value_exact", True),
        F(8, "is_min_value_exact", True)
    );

    private static readonly ThriftLayout SizeStatistics = new(
        "SizeStatistics",
        F(1, "unencoded_byte_array_data_bytes", I64),
        ListOf(2, "repetition_level_histogram", I64),
        ListOf(3, "definition_level_histogram", I64)
    );

    private static readonly ThriftLayout BoundingBox = new(
        "BoundingBox",
        F(1, "xmin", ThriftType.Double),
        F(2, "xmax", ThriftType.Double),
        F(3, "ymin", ThriftType.Double),
        F(4, "ymax", ThriftType.Double),
        F(5, "zmin", ThriftType.Double),
        F(6, "zmax", ThriftType.Double),
        F(7, "mmin", ThriftType.Double),
        F(8, "mmax", ThriftType.Double)
    );

    private static readonly ThriftLayout GeospatialStatistics = new(
        "GeospatialStatistics",
        Of(1, "bbox", BoundingBox),
        ListOf(2, "geospatial_types", I32)
    );

    private static readonly ThriftLayout TimeUnit = new(
        "TimeUnit",
        Of(1, "MILLIS", Empty),
        Of(2, "MICROS", Empty),
        Of(3, "NANOS", Empty)
    );

    private static readonly ThriftLayout Time = new(
        "a time's type",
        F(1, "isAdjustedToUTC", True, true),
        Of(2, "unit", TimeUnit, true)
    );

    private static readonly ThriftLayout LogicalType = new(
        "LogicalType",
        Of(1, "STRING", Empty),
        Of(2, "MAP", Empty),
        Of(3, "LIST", Empty),
        Of(4, "ENUM", Empty),
        Of(5, "DECIMAL", new ThriftLayout("DecimalType", F(1, "scale", I32, true), F(2, "precision", I32, true))),
        Of(6, "DATE", Empty),
        Of(7, "TIME", Time),
        Of(8, "TIMESTAMP", Time),
        Of(
            10,
            "INTEGER",
            new ThriftLayout("IntType", F(1, "bitWidth", ThriftType.Byte, true), F(2, "isSigned", True, true))
        ),
        Of(11, "UNKNOWN", Empty),
        Of(12, "JSON", Empty),
        Of(13, "BSON", Empty),
        Of(14, "UUID", Empty),
        Of(15, "FLOAT16", Empty),
        Of(16, "VARIANT", new ThriftLayout("VariantType", F(1, "specification_version", ThriftType.Byte))),
        Of(17, "GEOMETRY", new ThriftLayout("GeometryType", F(1, "crs", Binary))),
        Of(18, "GEOGRAPHY", new ThriftLayout("GeographyType", F(1, "crs", Binary), F(2, "algorithm", I32)))
    );

    private static readonly ThriftLayout Cipher = new(
        "AesGcm",
        F(1, "aad_prefix", Binary),
        F(2, "aad_file_unique", Binary),
        F(3, "supply_aad_prefix", True)
    );

    private static readonly ThriftLayout Encryption = new(
        "EncryptionAlgorithm",
        Of(1, "AES_GCM_V1", Cipher),
        Of(2, "AES_GCM_CTR_V1", Cipher)
    );

    private static readonly ThriftLayout Crypto = new(
        "ColumnCryptoMetaData",
        Of(1, "ENCRYPTION_WITH_FOOTER_KEY", Empty),
        Of(
            2,
            "ENCRYPTION_WITH_COLUMN_KEY",
            new ThriftLayout(
                "EncryptionWithColumnKey",
                ListOf(1, "path_in_schema", Binary, true),
                F(2, "key_metadata", Binary)
            )
        )
    );

    internal static readonly ThriftLayout SchemaElement = new(
        "SchemaElement",
        F(1, "type", I32),
        F(2, "type_length", I32),
        F(3, "repetition_type", I32),
        F(4, "name", Binary, true),
        F(5, "num_children", I32),
        F(6, "converted_type", I32),
        F(7, "scale", I32),
        F(8, "precision", I32),
        F(9, "field_id", I32),
        Of(10, "logicalType", LogicalType)
    );

    internal static readonly ThriftLayout ColumnMetaData = new(
        "ColumnMetaData",
        F(1, "type", I32, true),
        ListOf(2, "encodings", I32, true),
        ListOf(3, "path_in_schema", Binary, true),
        F(4, "codec", I32, true),
        F(5, "num_values", I64, true),
        F(6, "total_uncompressed_size", I64, true),
        F(7, "total_compressed_size", I64, true),
        ListOf(8, "key_value_metadata", KeyValue),
        F(9, "data_page_offset", I64, true),
        F(10, "index_page_offset", I64),
        F(11, "dictionary_page_offset", I64),
        Of(12, "statistics", Statistics),
        ListOf(
            13,
            "encoding_stats",
            new ThriftLayout(
                "PageEncodingStats",
                F(1, "page_type", I32, true),
                F(2, "encoding", I32, true),
                F(3, "count", I32, true)
            )
        ),
        F(14, "bloom_filter_offset", I64),
        F(15, "bloom_filter_length", I32),
        Of(16, "size_statistics", SizeStatistics),
        Of(17, "geospatial_statistics", GeospatialStatistics)
    );

    internal static readonly ThriftLayout ColumnChunk = new(
        "ColumnChunk",
        F(1, "file_path", Binary),
        F(2, "file_offset", I64, true),
        Of(3, "meta_data", ColumnMetaData, true, kept: true),
        F(4, "offset_index_offset", I64),
        F(5, "offset_index_length", I32),
        F(6, "column_index_offset", I64),
        F(7, "column_index_length", I32),
        Of(8, "crypto_metadata", Crypto),
        F(9, "encrypted_column_metadata", Binary)
    );

    internal static readonly ThriftLayout RowGroup = new(
        "RowGroup",
        ListOf(1, "columns", ColumnChunk, true, kept: true),
        F(2, "total_byte_size", I64, true),
        F(3, "num_rows", I64, true),
        ListOf(
            4,
            "sorting_columns",
            new ThriftLayout(
                "SortingColumn",
                F(1, "column_idx", I32, true),
                F(2, "descending", True, true),
                F(3, "nulls_first", True, true)
            )
        ),
        F(5, "file_offset", I64),
        F(6, "total_compressed_size", I64),
        F(7, "ordinal", I16)
    );

    internal static readonly ThriftLayout FileMetaData = new(
        "FileMetaData",
        F(1, "version", I32, true),
        ListOf(2, "schema", SchemaElement, true, kept: true),
        F(3, "num_rows", I64, true),
        ListOf(4, "row_groups", RowGroup, true, kept: true),
        ListOf(5, "key_value_metadata", KeyValue),
        F(6, "created_by", Binary),
        ListOf(7, "column_orders", new ThriftLayout("ColumnOrder", Of(1, "TYPE_ORDER", Empty))),
        Of(8, "encryption_algorithm", Encryption),
        F(9, "footer_signing_key_metadata", Binary)
    );

    private static readonly ThriftLayout DataPage = new(
        "DataPageHeader",
        F(1, "num_values", I32, true),
        F(2, "encoding", I32, true),
        F(3, "definition_level_encoding", I32, true),
        F(4, "repetition_level_encoding", I32, true),
        Of(5, "statistics", Statistics)
    );

    private static readonly ThriftLayout DictionaryPage = new(
        "DictionaryPageHeader",
        F(1, "num_values", I32, true),
        F(2, "encoding", I32, true),
        F(3, "is_sorted", True)
    );

    private static readonly ThriftLayout DataPageV2 = new(
        "DataPageHeaderV2",
        F(1, "num_values", I32, true),
        F(2, "num_nulls", I32, true),
        F(3, "num_rows", I32, true),
        F(4, "encoding", I32, true),
        F(5, "definition_levels_byte_length", I32, true),
        F(6, "repetition_levels_byte_length", I32, true),
        F(7, "is_compressed", True),
        Of(8, "statistics", Statistics)
    );

    internal static readonly ThriftLayout PageHeader = new(
        "PageHeader",
        F(1, "type", I32, true),
        F(2, "uncompressed_page_size", I32, true),
        F(3, "compressed_page_size", I32, true),
        F(4, "crc", I32),
        Of(5, "data_page_header", DataPage, kept: true),
        Of(6, "index_page_header", Empty),
        Of(7, "dictionary_page_header", DictionaryPage, kept: true),
        Of(8, "data_page_header_v2", DataPageV2, kept: true)
    );
}
