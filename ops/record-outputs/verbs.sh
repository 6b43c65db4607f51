# What record-outputs.sh asks of each verb.
# shellcheck shell=bash disable=SC2034,SC2086,SC2154 # sourced by record-outputs.sh; names here have no spaces
help_and_schema() {
  local verb
  text help-lut --help
  text help-none
  for verb in run pretrain finetune eval compare trace doctor analyze report nightly baseline bisect verify plan \
    bench data convert export-step \
    classify ls show schema export "data index" "data check" "data stats" "data bench" "baseline list" \
      "baseline accept" "baseline expire"; do
    # shellcheck disable=SC2086 # two words are a verb and its sub-verb
    text "help-${verb// /-}" $verb --help
  done
  text version --version
  both schema-all schema
  local table
  lut schema >"$raw/SCHEMA.md"
  for table in run hosts devices env events steps digests operations evals predictions checkpoints throughput \
    telemetry comparisons analysis; do
    both "schema-$table" schema "$table"
  done
}

protocols() {
  local protocol
  for protocol in $(lut ls | awk 'NF == 0 { exit } /@/ { print $1 }'); do
    both "plan-$protocol" plan "$protocol" --threads 2
  done
  both plan-h200 plan imagenet-lut-vitb16@1 --device h200 --count 8
  both plan-l40s-mae plan imagenet-mae-vitl16@1 --device l40s
  both plan-explain plan imagenet-lut-vitl16@1 --explain pretrain.epochs
  both plan-explain-set plan hello@1 --explain pretrain.blr --set pretrain.blr=0.25
  both plan-modified plan hello@1 --threads 1 --set pretrain.epochs=5 --set knn.k=3 --seed 4 --memory recompute
  both plan-micro-batch plan fashion-lut@1 --threads 2 --micro-batch 64
  both plan-file plan mine.toml --threads 2
}

runs() {
  made run-hello a run hello@1 -q --threads 2
  text run-hello-loud run hello@1 --threads 1 --micro-batch 32 --data-workers 1 -o loud
  made run-seed seed run hello@1 -q --seed 1 --threads 2
  made run-modified modified run hello@1 -q --threads 2 --set pretrain.method=mae --set pretrain.epochs=1 \
    --set finetune.epochs=1 --set pretrain.warmup_epochs=0.5
  made run-injected injected run hello@1 -q --threads 2 --inject step=5,tensor=blocks.0.mlp.fc1.weight,bit=12
  text run-injected-loud run hello@1 --threads 2 --inject step=5,tensor=blocks.0.mlp.fc1.weight,bit=12 \
    -o injected-loud
  made run-fail-fast fast run hello@1 --threads 2 --fail-fast --inject step=2,tensor=cls_token,bit=3
  made run-stopped stopped run hello@1 -q --threads 2 --stop-after 5
  both verify-stopped verify "$(run_in stopped-text)"
  both show-stopped show "$(run_in stopped-text)"
  both ls-stopped ls -o stopped-text
  text run-resumed run hello@1 --threads 2 --resume auto -o stopped-text
  json run-resumed run hello@1 -q --threads 2 --resume "$(run_in stopped-json)" -o stopped-json
  both run-once run hello@1 --threads 2 --once -o stopped-text
  both run-resume-complete run hello@1 --resume "$(run_in stopped-text)" -o stopped-text
  made pretrain-traced traced pretrain hello@1 -q --trace-step 5
  text pretrain-traced-bad pretrain hello@1 -q --trace-step 5 --inject step=5,op=GemmTn,variant=tf32 -o traced-bad
  made pretrain-self-check checked pretrain hello@1 --threads 2 --self-check --set pretrain.epochs=1 \
    --set pretrain.warmup_epochs=0.5
  text pretrain-recompute pretrain hello@1 -q --threads 2 --memory recompute --keep-epochs 1 -o recompute
  local checkpoint
  checkpoint=$(ls "$(run_in a-text)"checkpoints/pretrain-*.safetensors)
  made finetune-hello tuned finetune hello@1 -q --threads 2 --checkpoint "$checkpoint"
  made eval-hello evaluated eval hello@1 -q --threads 2 --checkpoint "$checkpoint"
  made pretrain-hello-from from pretrain hello@1 --threads 2 --checkpoint "$checkpoint" --set pretrain.epochs=1 \
    --set pretrain.warmup_epochs=0.5
  # every stage, on images of its own
  set_options "${ten[@]}"
  made run-ten ten-run run imagenet-lut-vitb16@1 -q --threads 2 --data ten "${options[@]}"
  text run-ten-mae run imagenet-mae-vitb16@1 --threads 2 --data ten "${options[@]}" -o ten-mae
  checkpoint=$(ls "$(run_in ten-run-text)"checkpoints/pretrain-*.safetensors)
  made eval-ten ten-eval eval imagenet-lut-vitb16@1 -q --threads 2 --data ten "${options[@]}" \
    --checkpoint "$checkpoint"
  checkpoint=$(ls "$(run_in ten-run-text)"checkpoints/finetune-*.safetensors)
  both classify-own classify imagenet-lut-vitb16@1 -q --threads 2 --data ten "${options[@]}" \
    --checkpoint "$checkpoint"
  both classify-torch classify imagenet-lut-vitb16@1 --threads 2 --data ten "${options[@]}" \
    --checkpoint torch/finetuned.pth --logits weights/logits.safetensors
  both classify-over classify imagenet-lut-vitb16@1 -q --threads 2 --data ten "${options[@]}" \
    --checkpoint torch/finetuned.pth --over ten/val --over ten/train
  both error-classify-other-network classify imagenet-lut-vitb16@1 -q --data ten "${options[@]}" --set model.depth=3 \
    --checkpoint torch/finetuned.pth
  both error-classify-no-data classify imagenet-lut-vitb16@1 -q "${options[@]}" --checkpoint torch/finetuned.pth \
    --over ten/val
  both error-finetune-stranger finetune imagenet-lut-vitb16@1 -q --data ten "${options[@]}" \
    --checkpoint torch/strided.pt -o none
  both error-finetune-no-zip finetune imagenet-lut-vitb16@1 -q --data ten "${options[@]}" --checkpoint torch/make.py \
    -o none
  contents "$(run_in a-text)" run-hello
  contents "$(run_in modified-text)" run-modified
  contents "$(run_in injected-text)" run-injected
  contents "$(run_in stopped-text)" run-stopped
  contents "$(run_in traced-text)" pretrain-traced
  contents "$(run_in tuned-text)" finetune-hello
  contents "$(run_in evaluated-text)" eval-hello
  contents "$(run_in ten-run-text)" run-ten
  contents "$(run_in ten-mae)" run-ten-mae
}

looking() {
  local a b injected
  a=$(run_in a-text) b=$(run_in a-json) injected=$(run_in injected-text)
  mkdir several
  cp -r "$a" "$(run_in seed-text)" "$(run_in modified-text)" several/
  both ls-runs ls -o several
  both ls ls
  cp -r several runs
  both error-ambiguous show hello
  both show-hello show "$a"
  both show-ten show "$(run_in ten-run-text)"
  both show-modified show "$(run_in modified-text)"
  both show-1.1 show fixture-1.1
  both verify-hello verify "$a"
  both verify-seed verify "$(run_in seed-text)"
  both verify-injected verify "$injected"
  both verify-modified verify "$(run_in modified-text)"
  both verify-checkpoint verify "$(ls "$a"checkpoints/pretrain-*.safetensors)"
  both verify-write verify "$a" --write-reference hello.digests
  keep hello.digests hello.digests
  both verify-ten-write verify "$(run_in ten-run-text)" --write-reference ten.digests
  keep ten.digests ten.digests
  both verify-reference verify "$injected" --reference hello.digests
  both verify-claim verify --claim lut-vitb-84.2 "$a"
  both verify-claim-ten verify --claim mae-vitb-83.7 "$(run_in ten-run-text)"
  both compare-equal compare "$a" "$b"
  made compare-injected compared compare "$a" "$injected" --plot drift.svg
  keep drift.svg drift.svg
  both compare-seeds compare "$a" "$(run_in seed-text)"
  both compare-modified compare "$a" "$(run_in modified-text)"
  both compare-stopped compare "$a" "$(run_in fast-text)"
  both compare-traced compare "$(run_in traced-text)" "$(run_in traced-bad)"
  both compare-checkpoints compare "$(ls "$a"checkpoints/pretrain-*.safetensors)" \
    "$(ls "$injected"checkpoints/pretrain-*.safetensors)"
  both compare-checkpoints-equal compare "$(ls "$a"checkpoints/pretrain-*.safetensors)" \
    "$(ls "$b"checkpoints/pretrain-*.safetensors)"
  both compare-perf compare --perf fixture-1.1 fixture-1.1
  both compare-perf-three compare --perf fixture-1.1 fixture-1.1 fixture-1.1
  both trace-nothing trace "$a" "$b" -q
  both trace-tensor trace "$a" "$injected" -q
  made trace-operation operations trace "$(run_in traced-text)" "$(run_in traced-bad)"
  contents operations-text trace-operation
  made analyze-two analysis analyze "$a" "$(run_in seed-text)" --images 16
  contents analysis-text analyze-two
  local plot
  for plot in analysis-text/*.svg; do keep "$plot" "$plot"; done
  both report-two report "$a" "$injected" --analysis analysis-text -o report.html
  keep report.html report.html
  both report-ten report "$(run_in ten-run-text)" -o ten.html
  keep ten.html ten.html
  both export-csv export "$a" -o csv --to csv
  both export-jsonl export "$a" -o jsonl --to jsonl
  both export-ten export "$(run_in ten-run-text)" -o ten-jsonl --to jsonl
  both export-operations export operations-text -o operations-csv
  both export-analysis export analysis-text -o analysis-csv
  both export-comparisons export compared-text -o comparisons-csv
  both export-1.1-csv export fixture-1.1 -o old
  both export-1.1-jsonl export fixture-1.1 -o old --to jsonl
  local folder
  for folder in csv jsonl ten-jsonl operations-csv analysis-csv comparisons-csv old; do keep $folder \
    exports/$folder; done
  keep "$a"config.resolved.toml hello.resolved.toml
  keep "$a"config.canonical.json hello.canonical.json
  keep "$a"reconstructions.png hello.png
}

data_and_weights() {
  both data-index data index images
  both data-index-val data index images --split val --index elsewhere
  keep images/lut-index.train.tsv lut-index.train.tsv
  both data-check data check images
  both data-check-damaged data check damaged
  both data-stats data stats images
  both data-stats-damaged data stats damaged
  both data-index-ten data index ten --split val
  both data-bench data bench images --seconds 0.01
  both data-index-tar data index tar
  both convert-list convert torch/wrapped.pth
  both convert-which convert torch/wrapped.pth weights/wrapped.safetensors --which model_ema
  both convert-torch convert torch/finetuned.pth weights/finetuned.safetensors
  both convert-strided convert torch/strided.pt
  both convert-bf16 convert "bf16.safetensors"
  both convert-own convert "$(ls "$(run_in a-text)"checkpoints/pretrain-*.safetensors)" weights/own.safetensors
  both export-step-hello export-step hello@1 weights/step.safetensors --batch 16 --threads 2
  both export-step-tiny export-step tiny weights/tiny.safetensors --batch 16 --step 0 --method mae --threads 2
  contents weights weights
}

machine() {
  both doctor doctor
  both doctor-exact doctor --require exact
  both doctor-libraries doctor --libraries
  both doctor-gpu doctor --require gpu
  both bench-hello bench hello@1 --launches 1 --blocks 1 --seconds 0.05 --threads 2
  both bench-hello-finetune bench hello@1 --stage finetune --launches 1 --blocks 2 --seconds 0.05 --threads 2 \
    --premade
  both bench-against bench hello@1 --launches 1 --blocks 1 --seconds 0.02 --against self --threads 2
  both kernels-planned bench tiny --kernels --device planned:h200
  both kernels-planned-mae bench vitb16 --method mae --stage finetune --batch 8 --kernels --device planned:a100
  made nightly-bits nights nightly --suite bits.toml --baseline baselines
  text nightly-bits-injected nightly -q --suite bits.toml --baseline baselines -o nights-injected \
    --inject step=5,tensor=cls_token,bit=12
  text nightly-bits-exit-zero nightly -q --suite bits.toml --baseline baselines -o nights-zero --exit-zero \
    --inject step=5,tensor=cls_token,bit=12
  made nightly-perf perf-nights nightly --suite perf.toml --baseline baselines
  both baseline-list-none baseline list --baseline baselines
  both baseline-accept baseline accept "$(run_in perf-nights-text)" --reason first --force --baseline baselines
  both baseline-list baseline list --baseline baselines
  text baseline-expire baseline expire hello --baseline baselines
  both report-nights report --nights nights-injected -o nights.html
  keep nights.html nights.html
  local night
  for night in nights-text nights-injected; do
    keep "$(run_in $night)summary.md" $night/summary.md
    keep "$(run_in $night)junit.xml" $night/junit.xml
  done
  both error-no-baseline baseline expire nothing --baseline baselines
  both error-no-night baseline accept nowhere --reason x --baseline baselines
  both error-no-row baseline accept "$(run_in perf-nights-text)" --reason x --row nothing --baseline baselines
  printf '[perf.x]\npinned = 3\n' >"baselines/$(basename "$(ls baselines/*.toml)")"
  both error-baseline-problems baseline list --baseline baselines
  mkdir repository
  git -C repository init -q -b main
  local commit
  for commit in 0 1 2 3 4; do
    echo $((commit / 3)) >repository/bits
    echo $commit >repository/commit
    git -C repository add -A
    git -C repository -c user.name=a -c user.email=a@b commit -q -m "commit $commit"
    git -C repository tag c$commit
  done
  both bisect-found bisect --repository repository --good c0 --bad c4 --command 'cat bits'
  # shellcheck disable=SC2016 # for bisect's shell
  both bisect-skipped bisect -q --repository repository --good c0 --bad c4 \
    --command 'test "$(cat commit)" != 2 && cat bits'
  both error-bisect-same bisect --repository repository --good c0 --bad c2 --command 'cat bits'
  both error-bisect-order bisect --repository repository --good c2 --bad c0 --command 'cat bits'
  both error-bisect-good bisect --repository repository --good c0 --bad c4 --command 'exit 1'
  both error-bisect-dash bisect --repository repository --good=-x --command 'cat bits'
  both error-bisect-revision bisect --repository repository --good nothing --command 'cat bits'
  both error-bisect-no-repository bisect --repository ten --good c0 --command 'cat bits'
}
