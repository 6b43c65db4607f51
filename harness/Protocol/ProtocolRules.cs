using System.Globalization;
using LutNative.Harness.Surroundings;
using LutNative.Model.Networks;

namespace LutNative.Harness.Protocol;

/// <summary>Ranges and relations that a protocol must satisfy before anything runs.</summary>
public static class ProtocolRules
{
    public static IEnumerable<string> Check(Dictionary<string, object> v, string origin)
    {
        int Int(string k) => (int)v[k];
        double Num(string k) => (double)v[k];
        string Show(string k) => System.Convert.ToString(v[k], CultureInfo.InvariantCulture)!;
        var problems = new List<string>();
        void Need(bool ok, string key, string rule)
        {
            if (!ok)
                problems.Add($"{origin}: {key} = {Show(key)}: {rule}");
        }
        Need(
            FileName.Fits((string)v["protocol"]),
            "protocol",
            "it names the run's folder: letters, digits and @ + . _ = -, beginning with a letter or a digit"
        );
        Need((string)v["contract"] == LutVersion.Contract, "contract", $"this build implements {LutVersion.Contract}");
        Need((long)v["seed"] >= 0, "seed", "must not be negative");
        Need(
            DataSetNames.All.Contains((string)v["data.name"]),
            "data.name",
            "the known data sets are " + string.Join(", ", DataSetNames.All)
        );
        Need(
            !(bool)v["baselines.raw_pixels"] || (string)v["data.name"] == DataSetNames.Fashion,
            "baselines.raw_pixels",
            "raw pixels are a baseline for gray images of one size only"
        );
        Need(
            Int("data.image_size") > 0
                && Int("model.patch_size") > 0
                && Int("data.image_size") % Math.Max(1, Int("model.patch_size")) == 0,
            "model.patch_size",
            $"must divide data.image_size = {Show("data.image_size")}"
        );
        foreach (
            string k in new[]
            {
                "data.train_images",
                "data.test_images",
                "model.width",
                "model.depth",
                "model.heads",
                "model.decoder_width",
                "model.decoder_heads",
                "pretrain.digest_every",
                "finetune.digest_every",
                "knn.k",
                "probe.epochs",
                "probe.batch",
                "data.classes",
                "pretrain.head_mlp_dim",
            }
        )
            Need(Int(k) > 0, k, "must be positive");
        foreach (
            string k in new[] { "pretrain.epochs", "finetune.epochs", "model.decoder_depth", "augment.crop_padding" }
        )
            Need(Int(k) >= 0, k, "must not be negative");
        // more than any network or machine has: sizes multiply, and nothing below should have to fear what they become
        foreach (string k in new[] { "model.width", "model.decoder_width" })
            Need(Int(k) <= 1 << 16, k, "must be at most 65536");
        foreach (string k in new[] { "model.depth", "model.decoder_depth" })
            Need(Int(k) <= 1 << 10, k, "must be at most 1024");
        foreach (
            string k in new[]
            {
                "pretrain.head_mlp_dim",
                "pretrain.batch",
                "finetune.batch",
                "probe.batch",
                "data.classes",
            }
        )
            Need(Int(k) <= 1 << 24, k, "must be at most 16777216");
        Need(Int("data.image_size") <= 1 << 13, "data.image_size", "must be at most 8192");
        if (problems.Count > 0)
            return problems;
        Need(
            Int("model.width") % Int("model.heads") == 0,
            "model.heads",
            $"must divide model.width = {Show("model.width")}"
        );
        Need(Int("model.width") % 4 == 0, "model.width", "must be divisible by 4 (position embeddings)");
        Need(
            Int("model.decoder_width") % 4 == 0 && Int("model.decoder_width") % Int("model.decoder_heads") == 0,
            "model.decoder_width",
            "must be divisible by 4 and by model.decoder_heads"
        );
        foreach (
            var (batch, bn, grain) in new[]
            {
                ("pretrain.batch", "pretrain.bn_batch", "pretrain.grain"),
                ("finetune.batch", "finetune.batch", "finetune.grain"),
            }
        )
        {
            bool ok =
                Int(grain) > 0
                && Int(bn) > 0
                && Int(batch) > 0
                && Int(bn) % Int(grain) == 0
                && Int(batch) % Int(bn) == 0;
            Need(ok, grain, $"grain must divide {bn} = {Show(bn)}, which must divide {batch} = {Show(batch)}");
            Need(
                Int(batch) <= Int("data.train_images"),
                batch,
                $"must not exceed data.train_images = {Show("data.train_images")}"
            );
        }
        double mask = Num("pretrain.mask_ratio");
        int patches =
            Int("data.image_size") / Int("model.patch_size") * (Int("data.image_size") / Int("model.patch_size"));
        Need(patches <= 1 << 20, "model.patch_size", "must leave at most 1048576 patches of an image");
        Need(
            mask is >= 0 and < 1 && new MaskPlan(patches, mask).Kept is > 0 and var kept && kept < patches,
            "pretrain.mask_ratio",
            $"must be in [0, 1) and hide and keep at least one of {patches} patches"
        );
        Need(v["pretrain.method"] is "lut" or "mae", "pretrain.method", "must be lut or mae");
        Need(
            v["pretrain.head_norm_layer"] is "BN" or "LN" or "none",
            "pretrain.head_norm_layer",
            "must be BN, LN or none"
        );
        Need(v["pretrain.head_act_layer"] is "ReLU" or "GELU", "pretrain.head_act_layer", "must be ReLU or GELU");
        Need(Int("pretrain.depth_head") is >= 0 and <= 3, "pretrain.depth_head", "must be 0 to 3");
        Need(Int("pretrain.depth_pred") is >= 0 and <= 3, "pretrain.depth_pred", "must be 0 to 3");
        foreach (string k in new[] { "pretrain.lr_rule", "finetune.lr_rule" })
            Need(
                v[k] is "linear/256" or "sqrt/4" or "sqrt/8" or "none",
                k,
                "must be linear/256, sqrt/4, sqrt/8 or none"
            );
        foreach (
            string k in new[]
            {
                "pretrain.blr",
                "finetune.blr",
                "pretrain.min_lr",
                "finetune.min_lr",
                "pretrain.weight_decay",
                "finetune.weight_decay",
                "pretrain.clip_grad",
                "finetune.clip_grad",
                "pretrain.w_mae",
                "pretrain.w_bc",
                "probe.lr",
                "finetune.mixup",
                "finetune.cutmix",
                "augment.blur_min",
                "pretrain.warmup_epochs",
                "finetune.warmup_epochs",
            }
        )
            Need(Num(k) >= 0, k, "must not be negative");
        foreach (
            string k in new[]
            {
                "pretrain.beta1",
                "pretrain.beta2",
                "finetune.beta1",
                "finetune.beta2",
                "pretrain.ema",
                "finetune.drop_path",
                "finetune.smoothing",
            }
        )
            Need(Num(k) is >= 0 and < 1 || (k == "pretrain.ema" && Num(k) <= 1), k, "must be in [0, 1)");
        foreach (
            string k in new[]
            {
                "augment.flip_prob",
                "augment.jitter_prob",
                "finetune.mix_prob",
                "finetune.mix_switch_prob",
                "finetune.layer_decay",
            }
        )
            Need(Num(k) is >= 0 and <= 1, k, "must be in [0, 1]");
        Need(
            Int("augment.crop_padding") < Int("data.image_size"),
            "augment.crop_padding",
            "must be smaller than the image (reflection)"
        );
        Need(((double[])v["data.mean"]).Length == 3, "data.mean", "needs three numbers");
        Need(
            ((double[])v["data.std"]).Length == 3 && ((double[])v["data.std"]).All(s => s > 0),
            "data.std",
            "needs three positive numbers"
        );
        Need(Num("knn.temperature") > 0, "knn.temperature", "must be positive");
        if (v.ContainsKey("transform.eval_resize"))
        {
            Need(
                v["transform.pretrain_crop"] is "simple" or "random_resized",
                "transform.pretrain_crop",
                "must be simple or random_resized"
            );
            foreach (
                string k in new[]
                {
                    "transform.pretrain_scale_min",
                    "transform.finetune_scale_min",
                    "transform.ratio_min",
                    "transform.erase_aspect_min",
                }
            )
                Need(Num(k) is > 0 and <= 1, k, "must be in (0, 1]");
            Need(Num("transform.ratio_max") >= 1, "transform.ratio_max", "must be at least 1");
            Need(
                Int("transform.eval_resize") >= Int("data.image_size"),
                "transform.eval_resize",
                $"must be at least data.image_size = {Show("data.image_size")}"
            );
            Need(
                Int("transform.mix_batch") > 0 && Int("finetune.batch") % Math.Max(1, Int("transform.mix_batch")) == 0,
                "transform.mix_batch",
                $"must divide finetune.batch = {Show("finetune.batch")}"
            );
            Need(Int("transform.rand_augment_layers") >= 0, "transform.rand_augment_layers", "must not be negative");
            Need(
                Num("transform.rand_augment_magnitude") is >= 0 and <= 10,
                "transform.rand_augment_magnitude",
                "must be in [0, 10]"
            );
            Need(Num("transform.rand_augment_std") >= 0, "transform.rand_augment_std", "must not be negative");
            foreach (
                string k in new[]
                {
                    "transform.rand_augment_prob",
                    "transform.erase_prob",
                    "transform.erase_area_min",
                    "transform.erase_area_max",
                }
            )
                Need(Num(k) is >= 0 and <= 1, k, "must be in [0, 1]");
        }
        if (v.ContainsKey("linprobe.epochs"))
        {
            foreach (string k in new[] { "linprobe.epochs", "linprobe.batch", "linprobe.digest_every" })
                Need(Int(k) > 0, k, "must be positive");
            Need(
                Int("linprobe.grain") > 0
                    && Int("linprobe.bn_batch") > 0
                    && Int("linprobe.bn_batch") % Math.Max(1, Int("linprobe.grain")) == 0
                    && Int("linprobe.batch") % Math.Max(1, Int("linprobe.bn_batch")) == 0,
                "linprobe.bn_batch",
                $"must be a multiple of linprobe.grain = {Show("linprobe.grain")} and divide linprobe.batch "
                    + $"= {Show("linprobe.batch")}"
            );
            Need(v["linprobe.token"] is "cls" or "mean", "linprobe.token", "must be cls or mean");
            Need(v["linprobe.lr_rule"] is "linear/256" or "none", "linprobe.lr_rule", "must be linear/256 or none");
            foreach (
                string k in new[]
                {
                    "linprobe.blr",
                    "linprobe.min_lr",
                    "linprobe.warmup_epochs",
                    "linprobe.weight_decay",
                    "linprobe.trust_coefficient",
                }
            )
                Need(Num(k) >= 0, k, "must not be negative");
            Need(Num("linprobe.scale_min") is > 0 and <= 1, "linprobe.scale_min", "must be in (0, 1]");
            Need(Num("linprobe.momentum") is >= 0 and < 1, "linprobe.momentum", "must be in [0, 1)");
        }
        return problems;
    }
}
