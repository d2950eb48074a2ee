#!/bin/bash
#SBATCH --job-name=onestep
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
#SBATCH --signal=USR2@300
#SBATCH --requeue
#SBATCH --open-mode=append
# sbatch slurm.sh. Five minutes before its time is over every rank gets SIGUSR2: the run is checkpointed and ends, and is put into the
# queue again, where it goes on. With MPICH, --mpi=pmi2.
#
# onestep itself has to be what srun starts: npx would end at the signal.
set -eu

out=$SCRATCH/runs/pictures
if [ -e "$out/config.json" ]; then
  resume=(--resume)
else
  resume=(pictures --data "$SCRATCH/pictures")
fi

status=0
srun --mpi=pmix onestep train "${resume[@]}" --out "$out" || status=$?
# 130: stopped, with a checkpoint.
if [ "$status" -eq 130 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
