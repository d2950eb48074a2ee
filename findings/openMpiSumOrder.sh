#!/bin/sh
# Open MPI 4.1.4: the order in which MPI_Allreduce adds up float32 numbers of three ranks on one host changes back and forth with the
# length of the array. Up to 512 numbers it is that of the ranks, (v0 + v1) + v2; with 1,024 it isn't; with 2,048 and 2,500 it is again;
# from 4,096 to 16,384 it isn't; with 65,536 it is. All ranks get the same bits, in every run. So a program whose sums had the bits
# of one process with small arrays may lose them with larger ones, and get them back.
#
# MPI asks for the same result of the same arguments, which holds, and for no order that is the same for all lengths. Seen on Linux x64, Debian's package, shared memory (vader).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > order.c <<'C'
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
static float part(int rank, int i) { return (float)(sin(i * 1.7 + rank * 911) * pow(10, (i * 7 + rank) % 5)); }
int main(void) {
  int lengths[] = {1, 512, 1024, 2048, 2500, 4096, 16384, 65536}, rank, size;
  MPI_Init(NULL, NULL);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  for (int k = 0; k < 8; k++) {
    int n = lengths[k], other = 0;
    float *v = malloc(n * sizeof *v);
    for (int i = 0; i < n; i++) v[i] = part(rank, i);
    MPI_Allreduce(MPI_IN_PLACE, v, n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    for (int i = 0; i < n; i++) {
      volatile float sum = part(0, i);
      for (int r = 1; r < size; r++) sum = sum + part(r, i);
      other += sum != v[i];
    }
    if (rank == 0) printf("%d:%s ", n, other ? "other" : "ranks");
    free(v);
  }
  if (rank == 0) printf("\n");
  MPI_Finalize();
}
C
mpicc -O1 -o order order.c -lm
version=$(mpirun --version | head -n 1)
echo "$version"
case "$version" in *" 4.1.4") ;; *) echo "this is about 4.1.4: install openmpi-bin=4.1.4-3+b1 and libopenmpi-dev=4.1.4-3+b1 of Debian 12"; exit 1 ;; esac
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
seen=$(mpirun --oversubscribe -n 3 ./order)
echo "$seen"
[ "$seen" = "1:ranks 512:ranks 1024:other 2048:ranks 2500:ranks 4096:other 16384:other 65536:ranks " ] || { echo "Open MPI has changed"; exit 1; }
echo "as it was"
