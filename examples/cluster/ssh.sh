#!/bin/sh
# Hosts that reach each other by ssh without a password. Node, onestep, the MPI library, the data and the run folder have the same
# paths on all of them, as on a shared file system. Run it on one of them: sh ssh.sh
set -eu
cd "$(dirname "$0")"

# A host that does not answer any more is noticed within 15 s. Where hosts have several networks, name one:
# --mca btl_tcp_if_include 10.0.0.0/24
exec mpirun --hostfile hosts -n 8 -x PATH \
  --mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 5 --mca oob_tcp_keepalive_probes 2 \
  onestep train pictures --data /shared/pictures --out /shared/runs/pictures
