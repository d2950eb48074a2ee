export * from "./symmetricEigen.ts";
