export { type Dense, type Matrix, matrixAt, openDense, partOf, transposed } from "./dense.ts";
export { factorise, type Progress } from "./factorise.ts";
export { singularSpace, singularValues } from "./singularValues.ts";
export { type SymmetricEigen, symmetricEigen, symmetricEigenvalues } from "./symmetricEigen.ts";
