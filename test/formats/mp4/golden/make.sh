#!/bin/sh
# Makes the clips beside it: 4 s, a keyframe each second, as small as they get. ffmpeg 5.1.
set -eu
cd "$(dirname "$0")"
video="-f lavfi -i testsrc=size=128x72:rate=15:duration=4"
tone="-f lavfi -i sine=frequency=440:sample_rate=48000:duration=4"
exact="-fflags +bitexact -flags:v +bitexact -flags:a +bitexact"
avc="-c:v libx264 -preset veryfast -crf 40 -g 15 -keyint_min 15 -sc_threshold 0 -pix_fmt yuv420p $exact"
run() { ffmpeg -v warning -y "$@"; }

run $video $avc -bf 0 -movflags +cmaf+frag_keyframe+empty_moov avc.mp4
run $video $avc -bf 2 -movflags +frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets avc-bframes.mp4
# A sidx before each fragment, and an edit list for the B-frames.
run $video $avc -bf 2 -movflags +dash+frag_keyframe+delay_moov avc-dash.mp4
# tfhd with base_data_offset, a position in the whole file.
run $video $avc -bf 0 -movflags +frag_keyframe+empty_moov avc-base-offset.mp4
# Five moof boxes to a keyframe.
run $video $avc -bf 0 -movflags +cmaf+empty_moov -frag_duration 200000 avc-multi.mp4
run $video -c:v libx265 -preset veryfast -crf 40 -tag:v hvc1 -pix_fmt yuv420p $exact \
  -x265-params log-level=none:keyint=15:min-keyint=15:scenecut=0:bframes=0:info=0 \
  -movflags +cmaf+frag_keyframe+empty_moov hevc.mp4
run $tone -c:a aac -b:a 24k -ac 1 $exact -movflags +cmaf+empty_moov -frag_duration 1000000 aac.mp4

# Both tracks in one file, 2 s. In one moof; each in its own; the second track's data follow on from the first one's.
muxed="$video $tone -t 2 -map 0:v -map 1:a $avc -bf 0 -c:a aac -b:a 24k -ac 1"
run $muxed -movflags +frag_keyframe+empty_moov+default_base_moof muxed.mp4
run $muxed -movflags +frag_keyframe+empty_moov+separate_moof+default_base_moof muxed-apart.mp4
run $muxed -movflags +frag_keyframe+empty_moov+omit_tfhd_offset muxed-omitted.mp4
