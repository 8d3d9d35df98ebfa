/** What a check of an export has found. */
import { UserError } from '../base/errors.ts';

export interface VerifyProblem {
  kind:
    | 'manifest' // the manifest is not the one that was written
    | 'lineage' // the lineage is not the one that was written, or contradicts itself
    | 'missing' // a listed file is not there
    | 'changed' // a file is not what the lineage says
    | 'extra' // something is there that is not listed
    | 'count' // a class does not have as many pictures as the manifest says
    | 'split' // a picture was made from an image that is not in the training split
    | 'leak' // a picture was made from an image that is also in the test or validation split
    | 'rebuild'; // made again, the picture is another
  /** Path inside the export; "" for the export itself. */
  file: string;
  /** One sentence. */
  message: string;
}

export interface VerifyReport {
  /** Absolute folder. */
  out: string;
  ok: boolean;
  /** All of them. */
  problems: VerifyProblem[];
  /** What could not be checked, or should be known. One sentence each. */
  notes: string[];
  pictures: number;
  /** Pictures whose source and context were looked up in the project's training split, plain backgrounds in its bank. */
  proven: number;
  /** Pictures that were made again and compared. */
  rebuilt: number;
}

/** An export that is not what it says; carries the whole report. */
export class VerifyError extends UserError {
  readonly report: VerifyReport;
  constructor(report: VerifyReport) {
    const [first] = report.problems;
    const others = report.problems.length - 1;
    const more = others === 0 ? '' : ` There ${others === 1 ? 'is 1 more problem' : `are ${others} more problems`}.`;
    const mend = 'Export again to a new folder.';
    super('verify', `${report.out} is not as it was exported: ${first.message}${more} ${mend}`);
    this.name = 'VerifyError';
    this.report = report;
  }
}

/** @throws VerifyError when there are problems */
export function requireVerified(report: VerifyReport): void {
  if (!report.ok) throw new VerifyError(report);
}
