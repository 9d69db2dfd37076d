#!/bin/sh
trap 'exit 0' TERM
while :; do
  echo "the secret of the build had $(cat /greeting-length) bytes"
  sleep 60 &
  wait $!
done
