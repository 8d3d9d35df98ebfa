/** The command line: its commands, parsed by commander. */
import { Command, CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { EXIT_CODES, UserError } from '../base/errors.ts';
import { CODE_VERSION } from '../base/version.ts';
import { Cli, type AddCommand } from './cli.ts';
import { addAdjust } from './commands/adjust.ts';
import { addBackbone } from './commands/backbone.ts';
import { addBank } from './commands/bank.ts';
import { addContexts } from './commands/contexts.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEdit } from './commands/edit.ts';
import { addExport } from './commands/export.ts';
import { addImport } from './commands/import.ts';
import { addModel } from './commands/model.ts';
import { addMasks } from './commands/masks.ts';
import { addNearDuplicates } from './commands/near-duplicates.ts';
import { addPredict } from './commands/predict.ts';
import { addReliance } from './commands/reliance.ts';
import { addRuns } from './commands/runs.ts';
import { addSample } from './commands/sample.ts';
import { addServe } from './commands/serve.ts';
import { addSource } from './commands/source.ts';
import { addStats } from './commands/stats.ts';
import { addStudy } from './commands/study.ts';
import { addTrain } from './commands/train.ts';
import { addVerify } from './commands/verify.ts';
import { oneLine } from './format.ts';
import { exitCodes, STREAMS } from './help.ts';
import type { Host } from './host.ts';
import type { Wiring } from './session.ts';

const COMMANDS: readonly AddCommand[] = [
  addSample,
  addImport,
  addSource,
  addStats,
  addNearDuplicates,
  addEdit,
  addTrain,
  addRuns,
  addAdjust,
  addReliance,
  addStudy,
  addContexts,
  addBank,
  addMasks,
  addExport,
  addVerify,
  addPredict,
  addModel,
  addBackbone,
  addDoctor,
  addServe,
];

/** The whole command line, ready to parse. */
export function createProgram(wiring: Wiring, host: Host): { program: Command; cli: Cli } {
  const program = new Command('contexture');
  program
    .description('From long-tailed class folders to a better classifier and an augmented data set.')
    .version(CODE_VERSION)
    .option('--project <file>', 'the project file (default: the only *.contexture in this folder)')
    .option('--json', 'one JSON object a line; the last has "ok"')
    .option('--quiet', 'no progress')
    .configureHelp({ showGlobalOptions: true, helpWidth: 110 })
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText('after', () => `${STREAMS}\n${exitCodes()}`);
  const cli = new Cli(wiring, () => program.opts(), host);
  for (const add of COMMANDS) add(program, cli);
  return { program, cli };
}

/** The command that was meant, with those above it: "contexture bank show". */
function commandOf(program: CommandUnknownOpts, argv: readonly string[]): string {
  const names = [program.name()];
  let at: CommandUnknownOpts = program;
  for (const word of argv) {
    const next = at.commands.find((command) => command.name() === word);
    if (next === undefined) continue;
    at = next;
    names.push(word);
  }
  return names.join(' ');
}

/** Run the command line of a host. Sets its exit code; never throws. */
export async function runCommandLine(wiring: Wiring, host: Host): Promise<void> {
  const { program, cli } = createProgram(wiring, host);
  const { argv } = host;
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      cli.fail(error);
    } else if (error.code === 'commander.help') {
      host.exitCode = EXIT_CODES.usage;
    } else if (error.exitCode !== 0) {
      const message = oneLine(error.message.replace(/^error: /, ''));
      const hint = message.endsWith('?)') ? '' : ` (see ${commandOf(program, argv)} --help)`;
      cli.fail(new UserError('usage', message + hint), argv.includes('--json'));
    }
  }
}
