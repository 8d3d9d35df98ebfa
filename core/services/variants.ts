/** Variants of a finished run: points between head and tail that a person kept, each with a model file of its own. */
import type { Variant, VariantFigures, Temperatures } from '../api/variants.ts';
import { UserError } from '../base/errors.ts';
import { asJson } from '../base/json.ts';
import { groupsByCount } from '../data/groups.ts';
import { temperaturesByClass, type Calibration } from '../evaluation/calibration.ts';
import type { Project } from '../storage/project.ts';
import type { Variant as VariantRecord } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { adjustmentPoint, writeVariantModel, type AdjustmentQuery } from './adjustment.ts';
import { datasetOf, findRun } from './run-data.ts';

/** What a variant is made from. */
export interface VariantRequest extends AdjustmentQuery {
  name: string;
  tau: number;
  calibration: Calibration;
}

/** The variants of a run, oldest first. @throws UserError 'not-found' */
export function listVariants(project: Project, runId: number): Variant[] {
  findRun(project, runId);
  return project.store.variants.ofRun(runId).map(toVariant);
}

/**
 * Keep a point between head and tail.
 * @throws UserError 'exists' for a name that the run has; else as `adjustmentPoint` and `writeVariantModel`
 */
export async function saveVariant(project: Project, runId: number, request: VariantRequest): Promise<Variant> {
  const run = findRun(project, runId);
  const { name, tau, calibration } = request;
  refuseName(project, runId, name);
  const [point, { trainCounts }] = await Promise.all([
    adjustmentPoint(project, runId, request),
    datasetOf(project, run),
  ]);
  const { head, kind, split, chosenOn, choosing, reporting, before, after, temperatures, reliability } = point;
  const groups = groupsByCount(trainCounts, TrainConfig.parse(run.config).groups);
  const blob = await writeVariantModel(project, run, {
    head,
    kind,
    tau,
    calibration,
    temperatures: temperaturesByClass(temperatures, calibration, groups),
  });
  // Another request may have come first.
  refuseName(project, runId, name);
  const figures: VariantFigures = {
    split,
    chosenOn,
    choosing,
    reporting,
    before,
    after,
    calibrationError: { before: reliability.none.all.error, after: reliability[calibration].all.error },
  };
  return toVariant(
    project.store.variants.add({
      runId,
      name,
      head,
      kind,
      tau,
      calibration,
      temperatures: asJson(temperatures),
      figures: asJson(figures),
      blob,
      createdAt: new Date().toISOString(),
    }),
  );
}

/** @throws UserError 'not-found'; 'exists' for a name that the run has */
export function renameVariant(project: Project, id: number, name: string): Variant {
  const { runId, name: before } = requireVariant(project, id);
  if (name !== before) refuseName(project, runId, name);
  project.store.variants.rename(id, name);
  return toVariant(project.store.variants.get(id)!);
}

/** Delete a variant. Its model file stays until a clean-up: something at work may be reading it. @throws UserError 'not-found' */
export function deleteVariant(project: Project, id: number): void {
  requireVariant(project, id);
  project.store.variants.remove(id);
}

/**
 * A variant by its name.
 * @throws UserError 'not-found', naming those that the run has
 */
export function findVariant(project: Project, runId: number, name: string): VariantRecord {
  findRun(project, runId);
  const variants = project.store.variants.ofRun(runId);
  const found = variants.find((variant) => variant.name === name);
  if (found) return found;
  const names = variants.map((variant) => `"${variant.name}"`).join(', ');
  const there = names === '' ? 'It has none: `contexture adjust` makes one.' : `It has ${names}.`;
  throw new UserError('not-found', `Run ${runId} has no variant "${name}". ${there}`);
}

function requireVariant(project: Project, id: number): VariantRecord {
  const variant = project.store.variants.get(id);
  if (!variant) throw new UserError('not-found', `There is no variant ${id} in this project.`);
  return variant;
}

function refuseName(project: Project, runId: number, name: string): void {
  if (!project.store.variants.ofRun(runId).some((variant) => variant.name === name)) return;
  throw new UserError(
    'exists',
    `Run ${runId} has a variant "${name}" already. Choose another name, or delete that one.`,
  );
}

function toVariant({ blob: _b, temperatures, figures, ...variant }: VariantRecord): Variant {
  return {
    ...variant,
    // As `saveVariant` stored them.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    temperatures: temperatures as unknown as Temperatures,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    figures: figures as unknown as VariantFigures,
  };
}
