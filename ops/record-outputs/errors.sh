# What record-outputs.sh does wrong: every exit code that a command line, a file or a machine can bring about.
# shellcheck shell=bash disable=SC2034,SC2086,SC2154 # sourced by record-outputs.sh; names here have no spaces
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
  both error-set-several plan hello@1 --set model.heads=3 --set knn.k=0 --set finetune.mixup=-1 \
    --set pretrain.method=dino
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
  printf '[bits.a]\nprotocol = "helo@1"\n[perf.b]\nshape = "tiny"\nstage = "x"\nlaunches = 0\n[what.c]\n' \
    >wrong-suite.toml
  both error-suite-problems nightly --suite wrong-suite.toml
  printf 'protocol = "x@1\n' >wrong.toml
  both error-toml plan wrong.toml
  grep -v '^seed' mine.toml | sed 's/^width = 32/width = "wide"/; s/^batch = 64/batch = 64\ncolour = 1/' \
    >problems.toml
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
  both error-data-damaged pretrain imagenet-lut-vitb16@1 -q --data damaged "${options[@]}" --set data.classes=2 \
    --set data.train_images=20 --set data.test_images=6 -o none
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

# what is damaged in a run, exit 3; what cannot be read or written, 9; the machine, 5; numbers, 7; other experiments, 4;
# nothing selected, 8
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
  both error-checkpoints-gone run hello@1 -q --fail-fast --inject step=2,tensor=cls_token,bit=3 --resume copies/gone \
    -o copies
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
  (ulimit -n 40 && lut run hello@1 -q -o none) >"$raw/error-open-files.text" 2>"$raw/error-open-files.stderr" || \
    code=$?
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
