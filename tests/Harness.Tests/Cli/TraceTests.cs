using LutNative.Harness.Diagnosis;
using LutNative.Model.Devices;
using LutNative.Results;

namespace LutNative.Harness.Tests.Cli;

/// <summary>
/// Twenty planted faults of different kinds: `compare` names the step and where it has one the tensor, `trace` says
/// which run is wrong, in which operation, and what explains its bits. hello@1 records digests at every step.
/// </summary>
public sealed class TraceTests(HelloRuns hello)
{
    [Theory]
    // a bit of a state, after the step
    [InlineData("step=0,tensor=cls_token,bit=0", "student/cls_token", "bit 0 of student/cls_token[0] was flipped")]
    [InlineData(
        "step=0,tensor=patch_embed.proj.weight,element=4000,bit=31",
        "student/patch_embed.proj.weight",
        "bit 31 of student/patch_embed.proj.weight[4000] was flipped"
    )]
    [InlineData(
        "step=1,tensor=blocks.0.attn.qkv.weight,element=17,bit=1",
        "student/blocks.0.attn.qkv.weight",
        "bit 1 of student/blocks.0.attn.qkv.weight[17] was flipped"
    )]
    [InlineData(
        "step=2,tensor=blocks.1.mlp.fc2.bias,element=3,bit=22",
        "student/blocks.1.mlp.fc2.bias",
        "bit 22 of student/blocks.1.mlp.fc2.bias[3] was flipped"
    )]
    [InlineData(
        "step=3,state=exp_avg,tensor=decoder_pred.weight,element=9,bit=5",
        "exp_avg/decoder_pred.weight",
        "bit 5 of exp_avg/decoder_pred.weight[9] was flipped"
    )]
    [InlineData(
        "step=4,state=exp_avg_sq,tensor=head.0.weight,element=100,bit=2",
        "exp_avg_sq/head.0.weight",
        "bit 2 of exp_avg_sq/head.0.weight[100] was flipped"
    )]
    [InlineData(
        "step=6,state=teacher,tensor=head.1.running_mean,element=2,bit=4",
        "teacher/head.1.running_mean",
        "bit 4 of teacher/head.1.running_mean[2] was flipped"
    )]
    [InlineData(
        "step=7,tensor=predictor.1.running_var,element=3,bit=3",
        "student/predictor.1.running_var",
        "bit 3 of student/predictor.1.running_var[3] was flipped"
    )]
    [InlineData(
        "step=11,tensor=decoder_blocks.0.norm2.bias,bit=30",
        "student/decoder_blocks.0.norm2.bias",
        "bit 30 of student/decoder_blocks.0.norm2.bias[0] was flipped"
    )]
    // an operation computed in another way, during the step
    [InlineData("step=7,op=GemmNt,variant=order", "patch_embed.proj.weight", "GemmNt: its sums run in another order")]
    [InlineData(
        "step=2,op=GemmNt,variant=split",
        "patch_embed.proj.weight",
        "GemmNt: its sums are cut in two (split-k)"
    )]
    [InlineData("step=5,op=GemmNt,variant=tf32", "patch_embed.proj.weight", "GemmNt: its operands are rounded to TF32")]
    [InlineData("step=4,op=GemmNn,variant=unfused", "predictor.3.weight", "GemmNn: multiply and add are rounded apart")]
    [InlineData("step=9,op=GemmTn,variant=order", "predictor.0.weight", "GemmTn: its sums run in another order")]
    [InlineData(
        "step=3,op=LayerNormForward,variant=order",
        "blocks.0.norm1.weight",
        "LayerNormForward: its sums run in another order"
    )]
    [InlineData("step=6,op=ColumnSum,variant=order", "decoder_pred.bias", "ColumnSum: its sums run in another order")]
    [InlineData("step=8,op=SquaredNorm,variant=order", "mask_token", "SquaredNorm: its sums run in another order")]
    [InlineData("step=10,op=AdamW,variant=unfused", "cls_token", "AdamW: multiply and add are rounded apart")]
    [InlineData("step=4,op=PoolForward,variant=order", "norm.weight", "PoolForward: its sums run in another order")]
    // subnormal moments exist where the context loss weighs next to nothing
    [InlineData(
        "step=4,op=AdamW,variant=ftz",
        "head.0.weight",
        "AdamW: subnormal results are flushed to zero",
        "--set",
        "pretrain.w_bc=1e-18"
    )]
    public void APlantedFaultIsFoundAndExplained(
        string fault,
        string tensor,
        string explanation,
        params string[] options
    )
    {
        string step = fault[..fault.IndexOf(',', StringComparison.Ordinal)];
        RunStore good = new(hello.Of("pretrain", options));
        RunStore bad = new(hello.Of("pretrain", [.. options, "--inject", fault]));
        var compared = Comparison.Exact(good, bad);
        Assert.Equal(ExactVerdict.Diverged, compared.Verdict);
        Assert.Contains($"stage=pretrain {step} ", compared.First);
        // the wrong one first: the order says nothing
        var report = Trace.Run(bad, good, compared.At!, Cpu.Best(), null, _ => { });
        Assert.True(report.B.Agrees);
        Assert.False(report.A.Agrees);
        Assert.StartsWith(explanation, report.A.Explanation, StringComparison.Ordinal);
        Assert.Contains(tensor, report.A.Element!.Tensor);
        Assert.NotEqual(0, report.A.Element.Ulp);
        if (fault.Contains("op="))
            Assert.Contains("its inputs are equal", report.A.At);
        else
            Assert.Contains($"{step} tensor={tensor} ", compared.First);
    }

    [Fact]
    public void TheReportReadsAsOneWouldWant()
    {
        var r = Lut.Run(
            "trace",
            hello.Of("pretrain"),
            hello.Of("pretrain", "--inject", "step=7,op=GemmNt,variant=order")
        );
        Assert.Equal(3, r.Exit);
        Assert.Contains(
            "B "
                + hello.Of("pretrain", "--inject", "step=7,op=GemmNt,variant=order")
                + ": this machine gives other bits: loss_",
            r.Out
        );
        Assert.Contains(
            "parts at:    operation 1, forward GemmNt at patch_embed.proj.weight, output y [64, 32]; its "
                + "inputs are equal",
            r.Out
        );
        Assert.Contains("element:     here and there y of GemmNt at patch_embed.proj.weight[0]: 0x", r.Out);
        Assert.Equal("VERDICT trace=B stage=pretrain step=7 explained=yes exit=3", r.LastLine);
        Assert.Contains("running pretrain from step 0", r.Error);
    }

    /// <summary>No false alarm: seven executions of other shapes, every pair of them (21), bit for bit.</summary>
    [Fact]
    public void IdenticalPairsRaiseNoAlarm()
    {
        RunStore[] runs =
        [
            .. new string[][]
            {
                [],
                ["--threads", "1"],
                ["--micro-batch", "4"],
                ["--device", "cpu-128"],
                ["--device", "cpu-256", "--data-workers", "2"],
                ["--memory", "recompute", "--micro-batch", "2"],
                ["--trace-step", "3"],
            }.Select(o => new RunStore(hello.Of("pretrain", o))),
        ];
        for (int i = 0; i < runs.Length; i++)
        for (int j = 0; j < i; j++)
        {
            var report = Comparison.Exact(runs[i], runs[j]);
            Assert.Equal(
                (ExactVerdict.Identical, 12, 2880),
                (report.Verdict, report.Compared["steps"], report.Compared["digests"])
            );
        }
    }

    /// <summary>
    /// A run that recorded its operations, and one that was traced elsewhere, are compared operation by operation; a
    /// checkpoint that both share saves the way to it.
    /// </summary>
    [Fact]
    public void OperationsAreComparedAcrossMachines()
    {
        string good = hello.Of("pretrain", "--trace-step", "5");
        string bad = hello.Of("pretrain", "--trace-step", "5", "--inject", "step=5,op=GemmTn,variant=tf32");
        var r = Lut.Run("compare", good, bad);
        Assert.Equal(3, r.Exit);
        Assert.Contains("phase=backward op=GemmTn tensor=predictor.0.weight", r.Out);
        using var folder = new TemporaryFolder();
        Assert.Equal(3, Lut.Run("trace", good, bad, "-q", "-o", folder["ops"], "--device", "cpu-128").Exit);
        var traced = new RunStore(folder["ops"]).Read(Schema.Operations);
        var recorded = new RunStore(good).Read(Schema.Operations);
        Assert.Equal(recorded.ContentSha256(), traced.ContentSha256());
        Assert.True(traced.Rows.Count > 1000);
    }

    /// <summary>
    /// A checkpoint that both runs share saves the way from the seed, and is not taken from behind the difference.
    /// </summary>
    [Theory]
    [InlineData(9, 8)]
    [InlineData(7, 4)]
    [InlineData(3, 0)]
    public void ExecutionBeginsAtTheLastSharedCheckpoint(long step, long from)
    {
        RunStore good = new(hello.Of("pretrain", "--keep-epochs", "1"));
        RunStore bad = new(
            hello.Of(
                "pretrain",
                "--keep-epochs",
                "1",
                "--inject",
                FormattableString.Invariant($"step={step},tensor=cls_token,bit=3")
            )
        );
        var report = Trace.Run(good, bad, new FirstStep("pretrain", step), Cpu.Best(), null, _ => { });
        Assert.Equal((from, true, false), (report.From, report.A.Agrees, report.B.Agrees));
        Assert.NotNull(report.B.Explanation);
    }

    [Theory]
    [InlineData("step=1,op=GemmNtt,variant=order", "did you mean GemmNt?")]
    [InlineData("step=1,op=GeluForward,variant=order", "it has ftz")]
    [InlineData("step=1,op=GemmNt", "variant is missing")]
    public void AnOperationsFaultThatCannotBePlantedIsAnswered(string fault, string says)
    {
        using var folder = new TemporaryFolder();
        var r = Lut.Run("pretrain", "hello@1", "-q", "-o", folder.Path, "--inject", fault);
        Assert.Equal(2, r.Exit);
        Assert.Contains(says, r.Error);
    }

    [Fact]
    public void WhatCannotBeTracedIsAnswered()
    {
        Assert.Contains(
            "nothing to trace",
            Lut.Run("trace", hello.Of("pretrain"), hello.Of("pretrain", "--threads", "1"), "-q").Out
        );
        Assert.Equal(2, Lut.Run("trace", hello.Of("pretrain"), hello.Of("pretrain"), "--device", "cuda:emulated").Exit);
        Assert.Equal(2, Lut.Run("pretrain", "hello@1", "--trace-step", "1", "--device", "cuda:emulated").Exit);
    }
}
