/** What all reports have in common: their source, and rows of their own kind. */

import type { PerformanceReport } from "../api/schema";

export type Report = Pick<PerformanceReport, "source" | "sentence"> & { items: readonly unknown[] };
