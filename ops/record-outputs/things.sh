# What record-outputs.sh works on: images, weights, suites, and the options of a small network.
# shellcheck shell=bash disable=SC2034,SC2086,SC2154 # sourced by record-outputs.sh; names here have no spaces
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
  cp "$fixtures"/golden/images/jpeg/0_{gray,cmyk}.jpg "$fixtures/golden/images/jpeg/0_rgba.png" \
    images/train/n01440764/
  cp "$fixtures"/golden/images/jpeg/1_{gray,420_prog}.jpg "$fixtures/golden/images/jpeg/1_pal.png" \
    images/train/n01443537/
  cp "$fixtures"/golden/images/jpeg/2_{gray,cmyk}.jpg "$fixtures/golden/images/jpeg/2_rgb.png" images/val/n01443537/
  mkdir -p damaged
  cp -r images/train images/val damaged/
  cp "$fixtures"/trials/03-damaged-jpeg-called-whole/*.jpg \
    "$fixtures"/trials/18-messages/{trunc_prog_noeoi.jpg,adler.png} damaged/train/n01440764/
  cp "$fixtures/trials/19-palette-index-out-of-range/plte_short.png" damaged/train/n01443537/
  # ten classes of ten images, as the classifiers of fixtures/torch have
  local class i
  for class in 0 1 2 3 4 5 6 7 8 9; do
    mkdir -p "ten/train/n0000000$class" "ten/val/n0000000$class"
    for i in 420_q75 420_prog 422_q90 444_q95; do
      cp "$fixtures/golden/images/jpeg/$((class % 3))_$i.jpg" "ten/train/n0000000$class/$i.jpg"
    done
    cp "$fixtures/golden/images/jpeg/$(((class + 1) % 3))_gray.jpg" \
      "$fixtures/golden/images/jpeg/$((class % 3))_rgb.png" "ten/val/n0000000$class/"
  done
  mkdir tar weights
  tar --sort=name --mtime=2026-01-01 --owner=0 --group=0 --numeric-owner -cf tar/plain.tar images
  cp -r "$fixtures/torch" torch
  cp -r "$fixtures/trials/90-broken-files" broken
  cp -r "$fixtures/schema/1.1" fixture-1.1
  cp "$fixtures/trials/10-half-precision-safetensors/bf16.safetensors" \
    "$fixtures/trials/18-messages/lfs_pointer.pth" .
  cp "$hello" mine.toml
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
  data.name=image-folder data.classes=10 data.train_images=40 data.test_images=20 data.image_size=32 \
    transform.eval_resize=36
  model.patch_size=8 model.width=32 model.depth=2 model.heads=2 model.decoder_width=16 model.decoder_depth=1 \
    model.decoder_heads=2
  pretrain.batch=20 pretrain.bn_batch=20 pretrain.grain=10 pretrain.head_mlp_dim=32 pretrain.epochs=2 \
    pretrain.warmup_epochs=1.0
  finetune.batch=20 finetune.grain=10 transform.mix_batch=10 finetune.epochs=2 finetune.warmup_epochs=0.0
  probe.epochs=1 probe.batch=20 knn.k=5
  linprobe.batch=20 linprobe.bn_batch=20 linprobe.grain=10 linprobe.epochs=1 linprobe.warmup_epochs=0.0
)
