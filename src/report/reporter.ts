import type { BlobRun, PageLayerDetails } from '../documents/blob.js';
import type { Shard } from '../nouns/part.js';
import type { Report } from '../nouns/report.js';
import type { Ink } from './terminal/ink.js';

/** How a report is to be shown; decided by the command, which knows the terminal. Reporters probe nothing. */
export interface ReportOptions {
  /** Most differing channels a layer lists, worst first; absent: the format's own default. Infinity lists all. */
  readonly channels?: number;
  /** Order of the layers: the model's, or the worst first. */
  readonly sort: 'graph' | 'worst';
  /** quiet: verdict and problems only; verbose: every layer's channels, resolved settings. */
  readonly verbosity: 'quiet' | 'normal' | 'verbose';
  readonly ink: Ink;
  /** Columns of the terminal; 80 where there is none. */
  readonly width: number;
  /** Text with long names made short. */
  readonly brief?: (text: string) => string;
  /** Whether block characters and marks may be used; otherwise ASCII. Names from files are shown either way. */
  readonly unicode: boolean;
  /** Commands that this build has, for the next one to type. */
  readonly commands: readonly string[];
  /** Options of a report's run that the next command needs too: --kernel, --map. */
  readonly repeated?: (report: Report) => readonly string[];
  /** In place of the next command: the one that keeps the files that it needs. */
  readonly again?: readonly string[];
  /** What was resolved, for verbose output: name and value. */
  readonly settings?: readonly (readonly [name: string, value: string])[];
  /** The page that the html report fills; read only where that is asked for. */
  readonly page?: string;
}

/** One model's comparison; its name matters where a run has several. */
export interface Run {
  readonly name: string;
  readonly report: Report;
  /** Options that the next command needs too. */
  readonly repeated?: readonly string[];
  /** The command that keeps the files of this one, where they are not kept. */
  readonly again?: readonly string[];
  /** What the blob holds besides. */
  readonly shard?: { readonly of: Shard; readonly found: Omit<BlobRun, 'name'> };
  /** Single values, where a format shows them. */
  readonly details?: readonly PageLayerDetails[];
}

/** A format: the whole text to write, newline at its end. Pure: the same reports and options give the same bytes. */
export type Reporter = (runs: readonly Run[], options: ReportOptions) => string;

/** A row of a registry of formats: its text, loaded where it is asked for, and what it needs of the command. */
export interface Format<D> {
  load(document: D): Promise<(document: D, options: ReportOptions) => string>;
  /** The same text in pieces, where it may be too large for one string. */
  write?(document: D, write: (piece: string) => void): void;
  /** It must stay as it is in the log of GitHub Actions. */
  readonly forMachines?: true;
  /** A comparison works these out only for formats that show them: single values, a digest of what was compared. */
  readonly needs?: readonly ('details' | 'digest')[];
  /** The file of the package that it fills. */
  readonly page?: string;
}

/** A document's formats by the name that --reporter takes. */
export type Formats<D> = ReadonlyMap<string, Format<D>>;

/** A format's text about one model. */
export type ReportText = (report: Report, options: ReportOptions) => string;
