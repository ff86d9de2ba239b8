#!/bin/sh
# Writes .env, with new secrets, out of .env.example: a variable gets what the command above it prints.
# An .env that exists is left alone.
set -euC
umask 077
cd "$(dirname "$0")/.."
while IFS= read -r line; do
    case $line in
        '# $ '*) command=${line#'# $ '} ;;
        *=) line=$line$(sh -c "$command") ;;
    esac
    printf '%s\n' "$line"
done <.env.example >.env
