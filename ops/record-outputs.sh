#!/usr/bin/env bash
# Records what the command line says: every verb on small, fixed things, in text and as JSON, its errors, its help, its tables.
# usage: ops/record-outputs.sh LUT OUT   LUT: path of a lut.dll; OUT: a folder that does not exist yet. About three minutes on two cores.
# Two recordings are compared with `diff -r A B`: of one build they are equal, of two builds they differ in what a change was meant to change.
# Each call leaves VERB-CASE.text (standard output), .json (the same with --json), .stderr and .exit. record-outputs.py masks what depends on the
# time, the machine, a path, a process, a commit or the version; results stay. THROUGH='flock FILE' runs each call that trains or measures through that command.
# shellcheck disable=SC2086,SC2317 # the parts are called by name; names here have no spaces
set -euo pipefail
[ $# = 2 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fixtures=$here/../tests/fixtures
[ -f "$1" ] || { echo "there is no $1" >&2; exit 2; }
lut_dll=$(realpath "$1")
[ ! -e "$2" ] || { echo "$2 exists already" >&2; exit 2; }
mkdir -p "$2"
out=$(realpath "$2")
read -ra through <<<"${THROUGH:-}"
work=$(mktemp -d "${TMPDIR:-/tmp}/lut-record.XXXXXX")
raw=$work/raw
trap 'rm -rf "$work"' EXIT
mkdir "$raw" "$work/here" "$work/home"
cd "$work/here"

# the surroundings of every call are the same
export HOME=$work/home XDG_CACHE_HOME=$work/home/cache LC_ALL=C TZ=UTC LUT_TRIGGER=manual
export GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
unset CI GITHUB_ACTIONS GITHUB_STEP_SUMMARY SLURM_JOB_ID KUBERNETES_SERVICE_HOST LUT_LIBRARIES

lut() { dotnet "$lut_dll" "$@" </dev/null; }
# a call that takes long
heavy() { "${through[@]}" dotnet "$lut_dll" "$@" </dev/null; }

# NAME FORMAT ARGS: one call; its standard output to NAME.FORMAT, the rest beside it
call() {
  local name=$1 format=$2 code=0
  shift 2
  [ ! -e "$raw/$name.$format" ] || { echo "$name.$format is recorded twice" >&2; exit 1; }
  case $name in
    run-* | pretrain-* | finetune-* | eval-* | classify-* | bench-* | nightly-* | trace-* | export-step-*) heavy "$@" ;;
    *) lut "$@" ;;
  esac >"$raw/$name.$format" 2>"$work/stderr-$name" || code=$?
  echo "$format $code" >>"$raw/$name.exit"
  { echo "[$format]"; cat "$work/stderr-$name"; } >>"$raw/$name.stderr"
}
text() { local name=$1; shift; call "$name" text "$@"; }
json() { local name=$1; shift; call "$name" json "$@" --json; }
# a call that changes nothing, or the same again: in text, then as JSON
both() { text "$@"; json "$@"; }
# a call that makes something: the text's goes to FOLDER-text, the JSON's to FOLDER-json
made() {
  local name=$1 folder=$2
  shift 2
  text "$name" "$@" -o "$folder-text"
  json "$name" "$@" -o "$folder-json"
}
# the one run (or night) in a folder
run_in() { ls -d "$1"/*/; }
keep() { mkdir -p "$raw/files/$(dirname "$2")"; cp -r "$1" "$raw/files/$2"; }
contents() { python3 "$here/record-outputs.py" contents "$1" >"$raw/$2.contents"; }
# changes the bits of one byte in the middle of a file
flip() {
  local at=$(($(stat -c %s "$1") / 2)) byte
  byte=$(od -An -tu1 -j "$at" -N1 "$1")
  printf "%b" "\\x$(printf %x "$((byte ^ 255))")" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

### things to work on
things() {
  # train: two classes of six images; val: two of three
  local split class picture
  for split in train val; do
    for class in n01440764 n01443537; do
      mkdir -p "images/$split/$class"
    done
  done
  for picture in 420_q75.jpg 422_q90.jpg 444_q95.jpg; do
    cp "$fixtures/golden/images/jpeg/0_$picture" images/train/n01440764/
    cp "$fixtures/golden/images/jpeg/1_$picture" images/train/n01443537/
    cp "$fixtures/golden/images/jpeg/2_$picture" images/val/n01440764/
  done
  cp "$fixtures"/golden/images/jpeg/0_{gray,cmyk}.jpg "$fixtures/golden/images/jpeg/0_rgba.png" images/train/n01440764/
  cp "$fixtures"/golden/images/jpeg/1_{gray,420_prog}.jpg "$fixtures/golden/images/jpeg/1_pal.png" images/train/n01443537/
  cp "$fixtures"/golden/images/jpeg/2_{gray,cmyk}.jpg "$fixtures/golden/images/jpeg/2_rgb.png" images/val/n01443537/
  mkdir -p damaged
  cp -r images/train images/val damaged/
  cp "$fixtures"/trials/03-damaged-jpeg-called-whole/*.jpg "$fixtures"/trials/18-messages/{trunc_prog_noeoi.jpg,adler.png} damaged/train/n01440764/
  cp "$fixtures/trials/19-palette-index-out-of-range/plte_short.png" damaged/train/n01443537/
  # ten classes of ten images, as the classifiers of fixtures/torch have
  local class i
  for class in 0 1 2 3 4 5 6 7 8 9; do
    mkdir -p "ten/train/n0000000$class" "ten/val/n0000000$class"
    for i in 420_q75 420_prog 422_q90 444_q95; do
      cp "$fixtures/golden/images/jpeg/$((class % 3))_$i.jpg" "ten/train/n0000000$class/$i.jpg"
    done
    cp "$fixtures/golden/images/jpeg/$(((class + 1) % 3))_gray.jpg" "$fixtures/golden/images/jpeg/$((class % 3))_rgb.png" "ten/val/n0000000$class/"
  done
  mkdir tar weights
  tar --sort=name --mtime=2026-01-01 --owner=0 --group=0 --numeric-owner -cf tar/plain.tar images
  cp -r "$fixtures/torch" torch
  cp -r "$fixtures/trials/90-broken-files" broken
  cp -r "$fixtures/schema/1.1" fixture-1.1
  cp "$fixtures/trials/10-half-precision-safetensors/bf16.safetensors" "$fixtures/trials/18-messages/lfs_pointer.pth" .
  cp "$here/../harness/protocols/hello@1.toml" mine.toml
  cat >bits.toml <<TOML
[bits.hello]
protocol = "hello@1"

[smoke.hello]
protocol = "hello@1"
seeds = [1]
metric = "knn_top1"
low = 10.0
high = 90.0
TOML
  cat >perf.toml <<TOML
[perf.hello]
shape = "hello@1"
stage = "pretrain"
launches = 3
blocks = 2
seconds = 0.05
TOML
}
set_options() { # KEY=VALUE...: as --set options, in the array options
  options=()
  for value in "$@"; do options+=(--set "$value"); done
}
# imagenet-lut-vitb16@1 on the folder ten, in a second: the network of fixtures/torch
ten=(
  data.name=image-folder data.classes=10 data.train_images=40 data.test_images=20 data.image_size=32 transform.eval_resize=36
  model.patch_size=8 model.width=32 model.depth=2 model.heads=2 model.decoder_width=16 model.decoder_depth=1 model.decoder_heads=2
  pretrain.batch=20 pretrain.bn_batch=20 pretrain.grain=10 pretrain.head_mlp_dim=32 pretrain.epochs=2 pretrain.warmup_epochs=1.0
  finetune.batch=20 finetune.grain=10 transform.mix_batch=10 finetune.epochs=2 finetune.warmup_epochs=0.0
  probe.epochs=1 probe.batch=20 knn.k=5
  linprobe.batch=20 linprobe.bn_batch=20 linprobe.grain=10 linprobe.epochs=1 linprobe.warmup_epochs=0.0
)

### the verbs
help_and_schema() {
  local verb
  text help-lut --help
  text help-none
  for verb in run pretrain finetune eval compare trace doctor analyze report nightly baseline bisect verify plan bench data convert export-step \
    classify ls show schema export "data index" "data check" "data stats" "data bench" "baseline list" "baseline accept" "baseline expire"; do
    # shellcheck disable=SC2086 # two words are a verb and its sub-verb
    text "help-${verb// /-}" $verb --help
  done
  text version --version
  both schema-all schema
  local table
  lut schema >"$raw/SCHEMA.md"
  for table in run hosts devices env events steps digests operations evals predictions checkpoints throughput telemetry comparisons analysis; do
    both "schema-$table" schema "$table"
  done
}

protocols() {
  local protocol
  for protocol in "$here"/../harness/protocols/*.toml; do
    protocol=$(basename "$protocol" .toml)
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
  made run-modified modified run hello@1 -q --threads 2 --set pretrain.method=mae --set pretrain.epochs=1 --set finetune.epochs=1 --set pretrain.warmup_epochs=0.5
  made run-injected injected run hello@1 -q --threads 2 --inject step=5,tensor=blocks.0.mlp.fc1.weight,bit=12
  text run-injected-loud run hello@1 --threads 2 --inject step=5,tensor=blocks.0.mlp.fc1.weight,bit=12 -o injected-loud
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
  made pretrain-self-check checked pretrain hello@1 --threads 2 --self-check --set pretrain.epochs=1 --set pretrain.warmup_epochs=0.5
  text pretrain-recompute pretrain hello@1 -q --threads 2 --memory recompute --keep-epochs 1 -o recompute
  local checkpoint
  checkpoint=$(ls "$(run_in a-text)"checkpoints/pretrain-*.safetensors)
  made finetune-hello tuned finetune hello@1 -q --threads 2 --checkpoint "$checkpoint"
  made eval-hello evaluated eval hello@1 -q --threads 2 --checkpoint "$checkpoint"
  made pretrain-hello-from from pretrain hello@1 --threads 2 --checkpoint "$checkpoint" --set pretrain.epochs=1 --set pretrain.warmup_epochs=0.5
  # every stage, on images of its own
  set_options "${ten[@]}"
  made run-ten ten-run run imagenet-lut-vitb16@1 -q --threads 2 --data ten "${options[@]}"
  text run-ten-mae run imagenet-mae-vitb16@1 --threads 2 --data ten "${options[@]}" -o ten-mae
  checkpoint=$(ls "$(run_in ten-run-text)"checkpoints/pretrain-*.safetensors)
  made eval-ten ten-eval eval imagenet-lut-vitb16@1 -q --threads 2 --data ten "${options[@]}" --checkpoint "$checkpoint"
  checkpoint=$(ls "$(run_in ten-run-text)"checkpoints/finetune-*.safetensors)
  both classify-own classify imagenet-lut-vitb16@1 -q --threads 2 --data ten "${options[@]}" --checkpoint "$checkpoint"
  both classify-torch classify imagenet-lut-vitb16@1 --threads 2 --data ten "${options[@]}" --checkpoint torch/finetuned.pth --logits weights/logits.safetensors
  both classify-over classify imagenet-lut-vitb16@1 -q --threads 2 --data ten "${options[@]}" --checkpoint torch/finetuned.pth --over ten/val --over ten/train
  both error-classify-other-network classify imagenet-lut-vitb16@1 -q --data ten "${options[@]}" --set model.depth=3 --checkpoint torch/finetuned.pth
  both error-classify-no-data classify imagenet-lut-vitb16@1 -q "${options[@]}" --checkpoint torch/finetuned.pth --over ten/val
  both error-finetune-stranger finetune imagenet-lut-vitb16@1 -q --data ten "${options[@]}" --checkpoint torch/strided.pt -o none
  both error-finetune-no-zip finetune imagenet-lut-vitb16@1 -q --data ten "${options[@]}" --checkpoint torch/make.py -o none
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
  both compare-checkpoints compare "$(ls "$a"checkpoints/pretrain-*.safetensors)" "$(ls "$injected"checkpoints/pretrain-*.safetensors)"
  both compare-checkpoints-equal compare "$(ls "$a"checkpoints/pretrain-*.safetensors)" "$(ls "$b"checkpoints/pretrain-*.safetensors)"
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
  both export-1.1 export fixture-1.1 -o csv-1.1
  local folder
  for folder in csv jsonl ten-jsonl operations-csv analysis-csv comparisons-csv csv-1.1; do keep $folder exports/$folder; done
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
  both bench-hello-finetune bench hello@1 --stage finetune --launches 1 --blocks 2 --seconds 0.05 --threads 2 --premade
  both bench-against bench hello@1 --launches 1 --blocks 1 --seconds 0.02 --against self --threads 2
  both kernels-planned bench tiny --kernels --device planned:h200
  both kernels-planned-mae bench vitb16 --method mae --stage finetune --batch 8 --kernels --device planned:a100
  made nightly-bits nights nightly --suite bits.toml --baseline baselines
  text nightly-bits-injected nightly -q --suite bits.toml --baseline baselines -o nights-injected --inject step=5,tensor=cls_token,bit=12
  text nightly-bits-exit-zero nightly -q --suite bits.toml --baseline baselines -o nights-zero --exit-zero --inject step=5,tensor=cls_token,bit=12
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
  both bisect-skipped bisect -q --repository repository --good c0 --bad c4 --command 'test "$(cat commit)" != 2 && cat bits'
  both error-bisect-same bisect --repository repository --good c0 --bad c2 --command 'cat bits'
  both error-bisect-order bisect --repository repository --good c2 --bad c0 --command 'cat bits'
  both error-bisect-good bisect --repository repository --good c0 --bad c4 --command 'exit 1'
  both error-bisect-dash bisect --repository repository --good=-x --command 'cat bits'
  both error-bisect-revision bisect --repository repository --good nothing --command 'cat bits'
  both error-bisect-no-repository bisect --repository ten --good c0 --command 'cat bits'
}

# the command line and protocols: exit 2, and whatever needs no run
errors_of_words() {
  both error-verb runn
  both error-option run hello@1 --colour
  both error-no-protocol run
  both error-two-protocols plan hello@1 hello@1
  both error-protocol run helo@1
  both error-protocol-far plan nothing-like-it
  both error-protocol-file run nowhere/x.toml
  both error-set-section plan hello@1 --set pretrian.epochs=3
  both error-set-key plan hello@1 --set pretrain.epoch=3
  both error-set-form plan hello@1 --set pretrain.epochs
  both error-set-integer plan hello@1 --set pretrain.epochs=three
  both error-set-number plan hello@1 --set pretrain.blr=1,5
  both error-set-range plan hello@1 --set pretrain.mask_ratio=1.2
  both error-set-grain plan hello@1 --set pretrain.grain=7
  both error-set-several plan hello@1 --set model.heads=3 --set knn.k=0 --set finetune.mixup=-1 --set pretrain.method=dino
  both error-lr run hello@1 --lr 1,5
  both error-seed run hello@1 --seed x
  both error-threads run hello@1 --threads two
  both error-threads-negative run hello@1 --threads -1
  both error-device run hello@1 --device cpu-255
  both error-memory run hello@1 --memory much
  both error-math run hello@1 --math run-to-rum
  both error-math-cpu run hello@1 --math run-to-run
  both error-checkpoint-minutes run hello@1 --checkpoint-minutes -1
  both error-stop-after run hello@1 --stop-after -1
  both error-once-resume run hello@1 --once --resume auto
  both error-resume run hello@1 --resume nowhere
  both error-trace-device run hello@1 --trace-step 1 --device cuda:emulated
  both error-inject run hello@1 --inject step=7
  both error-inject-tensor run hello@1 -q --inject step=1,tensor=blocks.9.weight,bit=1 -o none
  both error-inject-element run hello@1 -q --inject step=1,tensor=cls_token,element=99999,bit=1 -o none
  both error-inject-bit run hello@1 -q --inject step=1,tensor=cls_token,bit=32 -o none
  both error-inject-op run hello@1 -q --inject step=1,op=Gemm,variant=order -o none
  both error-explain plan hello@1 --explain pretrain.epoch
  both error-count plan hello@1 --count 0
  both error-plan-device plan hello@1 --device h300
  both error-bench-shape bench tinny
  both error-bench-stage bench tiny --stage train
  both error-bench-method bench tiny --method dino
  both error-bench-kernels bench tiny --kernels
  both error-bench-sheet bench tiny --kernels --device planned:h300
  both error-bench-against bench tiny --against nowhere/lut.dll
  both error-compare-both compare --exact --perf fixture-1.1 fixture-1.1
  both error-compare-three compare fixture-1.1 fixture-1.1 fixture-1.1
  both error-compare-mixed compare fixture-1.1 torch/expected.safetensors
  both error-trace-cuda trace fixture-1.1 fixture-1.1 --device cuda:emulated
  both error-verify-two verify fixture-1.1 fixture-1.1
  both error-claim verify --claim lut-vitb-84 fixture-1.1
  both error-schema schema step
  both error-export-format export fixture-1.1 --to xml -o none
  both error-export-no-output export fixture-1.1
  both error-require doctor --require speed
  both error-registers doctor --registers
  both error-ls ls -o nowhere-at-all
  both error-show-missing show nowhere/run
  both error-suite nightly --suite nowhere.toml
  printf '[bits.a]\nprotocol = "helo@1"\n[perf.b]\nshape = "tiny"\nstage = "x"\nlaunches = 0\n[what.c]\n' >wrong-suite.toml
  both error-suite-problems nightly --suite wrong-suite.toml
  printf 'protocol = "x@1\n' >wrong.toml
  both error-toml plan wrong.toml
  grep -v '^seed' mine.toml | sed 's/^width = 32/width = "wide"/; s/^batch = 64/batch = 64\ncolour = 1/' >problems.toml
  both error-protocol-problems plan problems.toml
  both error-data-split data index images --split test
  both error-data-no-subverb data
}

# data sets and checkpoints: exit 6
errors_of_data() {
  local checkpoint
  checkpoint=$(ls "$(run_in a-text)"checkpoints/pretrain-*.safetensors)
  both error-data-missing run hello@1 -q --data nowhere -o none
  both error-data-needed run imagenet-lut-vitb16@1 -q -o none
  both error-data-few run fashion-full-lut@1 -q -o none
  mkdir idx
  printf 'not idx' >idx/train-images-idx3-ubyte
  both error-data-idx run hello@1 -q --data idx -o none
  set_options "${ten[@]}"
  both error-data-classes run imagenet-lut-vitb16@1 -q --data images "${options[@]}" -o none
  both error-data-counts run imagenet-lut-vitb16@1 -q --data ten "${options[@]}" --set data.train_images=50 -o none
  both error-data-folder data index nowhere
  both error-data-damaged pretrain imagenet-lut-vitb16@1 -q --data damaged "${options[@]}" --set data.classes=2 --set data.train_images=20 --set data.test_images=6 -o none
  mkdir -p empty/train/a empty/val/a hollow/train/a
  both error-data-empty data index empty
  both error-data-hollow data check hollow --split val
  mkdir pipes && mkdir -p pipes/train/a && mkfifo pipes/train/a/x.jpg
  both error-data-pipe data index pipes
  local file
  for file in t_dots t_dots_mixed t_allwebp; do
    mkdir -p tars/$file/train
    cp "$fixtures/trials/05-tar-samples-dropped/$file.tar" tars/$file/train/
    both "error-data-tar-$file" data index tars/$file
  done
  for file in tar-sparse tar-pax-size; do
    mkdir -p tars/$file/train
    cp "broken/$file.tar" tars/$file/train/
    both "error-data-$file" data index tars/$file
  done
  mkdir -p tars/both/
  cp "$fixtures/trials/06-one-shard-in-both-splits/trainval-000.tar" tars/both/
  both error-data-tar-both data index tars/both
  for file in hang-shards-28 hang-shards-1247; do
    mkdir -p shards/$file
    cp "broken/$file.parquet" shards/$file/train-00000.parquet
    both "error-data-$file" data index shards/$file
  done
  echo 'sha256 label' >images/lut-index.train.tsv
  both data-index-foreign data check images
  head -c 1000 "$checkpoint" >cut.safetensors
  cp "$checkpoint" flipped.safetensors
  flip flipped.safetensors
  echo nothing >none.safetensors
  for file in cut flipped none; do
    both "error-checkpoint-$file" eval hello@1 -q --checkpoint $file.safetensors -o none
    both "error-verify-$file" verify $file.safetensors
    both "error-convert-$file" convert $file.safetensors converted.safetensors
  done
  both error-checkpoint-missing eval hello@1 -q --checkpoint nowhere.safetensors -o none
  both error-checkpoint-which finetune hello@1 -q --checkpoint torch/wrapped.pth --which nothing -o none
  both error-checkpoint-shape eval hello@1 -q --set model.width=64 --checkpoint "$checkpoint" -o none
  both error-convert-missing convert nowhere.pth
  both error-convert-which convert torch/wrapped.pth x.safetensors --which nothing
  both convert-shared convert broken/pth-shared-tensor-bomb.pth
  both error-convert-name-bomb convert broken/pth-long-name-bomb.pth
  both error-convert-lfs convert lfs_pointer.pth
  both error-analyze-no-checkpoint analyze "$(run_in evaluated-text)"
}

# what is damaged in a run, exit 3; what cannot be read or written, 9; the machine, 5; numbers, 7; other experiments, 4; nothing selected, 8
errors_of_stores() {
  local a copy code=0
  a=$(run_in a-text)
  mkdir copies
  # of fixed bytes: what a flipped one does to a file of this run is the times' in it
  copy=copies/flipped
  cp -r fixture-1.1 $copy
  flip $copy/steps-00000.parquet
  both error-damaged-verify verify $copy
  both error-damaged-show show $copy
  both error-damaged-compare compare fixture-1.1 $copy
  both error-damaged-export export $copy -o none
  both error-damaged-report report $copy -o none.html
  copy=copies/other-rows
  cp -r fixture-1.1 $copy
  flip $copy/digests-00000.parquet
  both error-other-rows-export export $copy -o none
  both error-other-rows-compare compare fixture-1.1 $copy
  copy=copies/cut
  cp -r "$a" $copy
  head -c 500 "$a"digests-00003.parquet >$copy/digests-00003.parquet
  both error-cut-verify verify $copy
  both error-cut-compare compare "$a" $copy
  copy=copies/no-run-table
  cp -r "$a" $copy
  rm $copy/run-*.parquet
  both error-no-run-table-verify verify $copy
  both error-no-run-table-show show $copy
  copy=copies/no-steps
  cp -r "$a" $copy
  rm $copy/steps-*.parquet
  both error-no-steps-verify verify $copy
  both error-no-steps-compare compare "$a" $copy
  both error-no-steps-trace trace "$a" $copy -q
  copy=copies/foreign
  cp -r "$a" $copy
  cp shards/hang-shards-28/train-00000.parquet $copy/evals-00001.parquet
  both error-foreign-show show $copy
  copy=copies/checkpoint
  cp -r "$a" $copy
  flip "$(ls $copy/checkpoints/pretrain-*.safetensors)"
  both error-checkpoint-in-run verify $copy
  both error-checkpoint-in-run-analyze analyze $copy
  both error-checkpoint-in-run-only verify "$(ls $copy/checkpoints/pretrain-*.safetensors)"
  cp -r "$(run_in fast-text)" copies/gone
  rm -r copies/gone/checkpoints
  both error-checkpoints-gone run hello@1 -q --fail-fast --inject step=2,tensor=cls_token,bit=3 --resume copies/gone -o copies
  both error-resume-other run hello@1 -q --seed 7 --resume "$(run_in fast-text)" -o fast-text
  both error-no-run show torch
  both error-empty-folder verify empty
  both error-reference verify "$a" --reference mine.toml
  both error-reference-missing verify "$a" --reference nowhere.digests
  both error-reference-duplicate verify "$a" --reference broken/digests-duplicate.digests
  both error-unwritable-reference verify "$a" --write-reference nowhere/x.digests
  both error-unwritable-run run hello@1 -q -o mine.toml
  both error-unwritable-export export "$a" -o mine.toml
  both error-unwritable-report report "$a" -o nowhere/report.html
  both error-unwritable-plot compare "$a" "$(run_in injected-text)" --plot nowhere/x.svg
  both error-unwritable-analysis analyze "$a" --images 8 -o mine.toml
  both error-unwritable-step export-step hello@1 nowhere/step.safetensors --batch 16
  both error-unwritable-convert convert torch/finetuned.pth nowhere/x.safetensors
  both error-unwritable-nights nightly -q --suite bits.toml -o mine.toml
  both error-unwritable-bench bench hello@1 --launches 1 --blocks 1 --seconds 0.01 -o mine.toml
  lut ls >/dev/full 2>"$raw/error-full-output.stderr" || code=$?
  echo "text $code" >"$raw/error-full-output.exit"
  both error-no-gpu run hello@1 -q --device cuda:0 -o none
  both error-no-gpu-bench bench tiny --device cuda:0
  code=0
  (ulimit -n 40 && lut run hello@1 -q -o none) >"$raw/error-open-files.text" 2>"$raw/error-open-files.stderr" || code=$?
  echo "text $code" >"$raw/error-open-files.exit"
  # numbers: 7
  made error-not-finite infinite run hello@1 -q --threads 2 --lr 1e30
  # other experiments: 4; nothing selected: 8
  both error-incomparable compare "$a" "$(run_in ten-run-text)"
  both error-incomparable-trace trace "$a" "$(run_in ten-run-text)" -q
  both error-claim-twice verify --claim lut-vitb-84.2 "$a" "$(run_in a-json)"
  both error-nothing-to-resume run hello@1 -q --resume auto -o none
  both error-nothing-to-report report
  both error-no-throughput compare --perf "$a" "$a"
  both error-plan-result plan imagenet-lut-vitb16@1 --device h200 --result fixture-1.1
}

### two at a time, as far as they are independent
parts() {
  local part began
  for part in "$@"; do
    began=$SECONDS
    $part
    echo "$part: $((SECONDS - began)) s" >&2
  done
}
beside() { # PART PARTS...: one beside the others
  parts "$1" &
  local first=$!
  parts "${@:2}"
  wait "$first"
}

main() {
  things
  beside runs help_and_schema protocols errors_of_words
  beside looking data_and_weights errors_of_data errors_of_stores
  parts machine
  lut doctor --json >"$work/doctor.json"
  python3 "$here/record-outputs.py" mask "$raw" "$out" "$work" "$lut_dll" "$(lut --version)" "$work/doctor.json"
  echo "$out: $(find "$out" -type f | wc -l) files; of errors $(find "$out" -name 'error-*.exit' | wc -l); exit codes $(cat "$out"/*.exit | cut -d' ' -f2 | sort -n | uniq -c | awk '{ printf "%s(%s) ", $2, $1 }')" >&2
}
# bash has read all of this when it begins: an edit meanwhile does no harm
{
  main
  exit
}
