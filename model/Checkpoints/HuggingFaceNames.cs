using System.Text.RegularExpressions;

namespace LutNative.Model.Checkpoints;

/// <summary>
/// Names that Hugging Face's ViT and ViTMAE files have, and the authors' for the same tensors. Their queries, keys and
/// values are three tensors, ours the three one after the other.
/// Source: transformers, modeling_vit.py and modeling_vit_mae.py (4.x names, and the layers of 5.9).
/// </summary>
internal static partial class HuggingFaceNames
{
    private const string Anchor = "embeddings.patch_embeddings.projection.weight";

    /// <summary>
    /// Every tensor under the authors' name where it has one, and under its own where not. Files without such names
    /// come back as they are.
    /// </summary>
    internal static IReadOnlyDictionary<string, FileTensor> Translate(IReadOnlyDictionary<string, FileTensor> tensors)
    {
        // where a network's names begin ("", "vit.", "model.vit."), and where those of what surrounds it do
        string[] networks =
        [
            .. tensors
                .Keys.Where(k => k == Anchor || k.EndsWith("." + Anchor, StringComparison.Ordinal))
                .Select(k => k[..^Anchor.Length]),
        ];
        if (networks.Length == 0)
            return tensors;
        var result = new Dictionary<string, FileTensor>(StringComparer.Ordinal);
        var pieces = new Dictionary<string, FileTensor?[]>(StringComparer.Ordinal);
        foreach (var (name, tensor) in tensors)
        {
            string translated = name;
            int piece = -1;
            foreach (string network in networks)
            {
                string around = network.EndsWith("vit.", StringComparison.Ordinal)
                    ? network[..^"vit.".Length]
                    : network;
                if (Under(name, around + "decoder.") is { } decoder && Decoder(decoder) is { } theirs)
                    (translated, piece) = (around + theirs.Name, theirs.Piece);
                else if (Under(name, around + "classifier.") is { } head)
                    translated = around + "head." + head;
                else if (Under(name, network) is { } inside)
                {
                    (string own, piece) = Encoder(inside) ?? (inside, -1);
                    translated = around + own;
                }
            }
            if (piece < 0)
                result[translated] = tensor.As(translated);
            else
                (pieces.TryGetValue(translated, out var three) ? three : pieces[translated] = new FileTensor?[3])[
                    piece
                ] = tensor;
        }
        foreach (var (name, three) in pieces)
            if (three.All(t => t is not null) && FileTensor.Concatenate(name, three!) is { } whole)
                result[name] = whole;
            else
                foreach (var t in three.Where(t => t is not null))
                    result[t!.Name] = t;
        return result;
    }

    private static string? Under(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : null;

    /// <summary>The authors' name; Piece is 0, 1 or 2 for queries, keys and values, else negative.</summary>
    private static (string Name, int Piece)? Encoder(string name) =>
        name switch
        {
            "embeddings.cls_token" => ("cls_token", -1),
            "embeddings.mask_token" => ("embed_mask_token", -1),
            "embeddings.position_embeddings" => ("pos_embed", -1),
            "embeddings.patch_embeddings.projection.weight" => ("patch_embed.proj.weight", -1),
            "embeddings.patch_embeddings.projection.bias" => ("patch_embed.proj.bias", -1),
            "layernorm.weight" => ("norm.weight", -1),
            "layernorm.bias" => ("norm.bias", -1),
            _ => EncoderLayer().Match(name) is { Success: true } m ? Block("blocks.", m) : null,
        };

    private static (string Name, int Piece)? Decoder(string name) =>
        name switch
        {
            "mask_token" => ("mask_token", -1),
            "decoder_pos_embed"
            or "decoder_embed.weight"
            or "decoder_embed.bias"
            or "decoder_norm.weight"
            or "decoder_norm.bias"
            or "decoder_pred.weight"
            or "decoder_pred.bias" => (name, -1),
            _ => DecoderLayer().Match(name) is { Success: true } m ? Block("decoder_blocks.", m) : null,
        };

    private static (string Name, int Piece)? Block(string blocks, Match m)
    {
        string at = blocks + m.Groups[1].Value + ".";
        string end = "." + m.Groups[3].Value;
        return m.Groups[2].Value switch
        {
            "layernorm_before" => (at + "norm1" + end, -1),
            "layernorm_after" => (at + "norm2" + end, -1),
            "attention.attention.query" or "attention.q_proj" => (at + "attn.qkv" + end, 0),
            "attention.attention.key" or "attention.k_proj" => (at + "attn.qkv" + end, 1),
            "attention.attention.value" or "attention.v_proj" => (at + "attn.qkv" + end, 2),
            "attention.output.dense" or "attention.o_proj" => (at + "attn.proj" + end, -1),
            "intermediate.dense" or "mlp.fc1" => (at + "mlp.fc1" + end, -1),
            "output.dense" or "mlp.fc2" => (at + "mlp.fc2" + end, -1),
            _ => null,
        };
    }

    [GeneratedRegex(@"^(?:encoder\.layer|layers)\.(\d+)\.(.+)\.(weight|bias)$", RegexOptions.CultureInvariant)]
    private static partial Regex EncoderLayer();

    [GeneratedRegex(@"^decoder_layers\.(\d+)\.(.+)\.(weight|bias)$", RegexOptions.CultureInvariant)]
    private static partial Regex DecoderLayer();
}
