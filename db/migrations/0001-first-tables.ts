/** The first shape of a project. Columns are named as the fields in core/storage/records.ts. */
import type { Connection } from '../connection.ts';

export const version = 1;
export const name = 'first tables';

export function up(connection: Connection): void {
  connection.execute(`
    CREATE TABLE project (
      row INTEGER PRIMARY KEY CHECK (row = 1),
      id TEXT NOT NULL,
      name TEXT NOT NULL,
      createdAt TEXT NOT NULL
    ) STRICT;

    CREATE TABLE setting (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL CHECK (json_valid(value))
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE source (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('folder', 'zip', 'csv')),
      path TEXT NOT NULL,
      relativePath TEXT,
      addedAt TEXT NOT NULL,
      scannedAt TEXT
    ) STRICT;

    CREATE TABLE problem (
      id INTEGER PRIMARY KEY,
      sourceId INTEGER NOT NULL REFERENCES source,
      path TEXT NOT NULL,
      kind TEXT NOT NULL,
      severity TEXT NOT NULL CHECK (severity IN ('error', 'warning', 'note')),
      reason TEXT NOT NULL
    ) STRICT;
    CREATE INDEX problemSource ON problem (sourceId);

    CREATE TABLE class (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      mergedInto INTEGER REFERENCES class CHECK (mergedInto <> id)
    ) STRICT;
    CREATE INDEX classMerged ON class (mergedInto) WHERE mergedInto IS NOT NULL;
  `);
  // What was found and what edits say are kept apart, so that an import never touches an edit and an undo never touches
  // what was found. NULL in an edited column means "as found"; 'none' is a split that was taken away.
  connection.execute(`
    CREATE TABLE image (
      id INTEGER PRIMARY KEY,
      sourceId INTEGER NOT NULL REFERENCES source,
      path TEXT NOT NULL,
      pathBytes BLOB,
      size INTEGER NOT NULL CHECK (size >= 0),
      mtimeMs REAL NOT NULL,
      hash TEXT NOT NULL CHECK (length(hash) = 64),
      width INTEGER NOT NULL CHECK (width > 0),
      height INTEGER NOT NULL CHECK (height > 0),
      format TEXT NOT NULL,
      orientation INTEGER NOT NULL CHECK (orientation BETWEEN 1 AND 8),
      foundClassId INTEGER NOT NULL REFERENCES class,
      foundSplit TEXT CHECK (foundSplit IN ('train', 'val', 'test')),
      editedClassId INTEGER REFERENCES class,
      editedSplit TEXT CHECK (editedSplit IN ('train', 'val', 'test', 'none')),
      excluded INTEGER NOT NULL DEFAULT 0 CHECK (excluded IN (0, 1)),
      state TEXT NOT NULL DEFAULT 'ok' CHECK (state IN ('ok', 'missing', 'changed')),
      classId INTEGER NOT NULL GENERATED ALWAYS AS (ifnull(editedClassId, foundClassId)),
      split TEXT GENERATED ALWAYS AS (nullif(ifnull(editedSplit, foundSplit), 'none'))
    ) STRICT;
    CREATE UNIQUE INDEX imagePath ON image (sourceId, path, ifnull(pathBytes, x''));
    -- Pages through one class in order of id.
    CREATE INDEX imageClass ON image (classId);
    -- Counts in the order of the index: five times as fast as sorting.
    CREATE INDEX imageCount ON image (classId, split, excluded, state);
    CREATE INDEX imageUsableHash ON image (hash) WHERE state = 'ok' AND excluded = 0;

    CREATE TABLE edit (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('exclude', 'include', 'relabel', 'merge', 'split', 'long-tail')),
      params TEXT NOT NULL CHECK (json_valid(params)),
      author TEXT NOT NULL,
      at TEXT NOT NULL,
      undoneAt TEXT,
      changes INTEGER NOT NULL
    ) STRICT;

    -- Values of image.editedClassId, image.editedSplit and image.excluded before and after an edit.
    CREATE TABLE editImage (
      editId INTEGER NOT NULL REFERENCES edit,
      imageId INTEGER NOT NULL REFERENCES image,
      field TEXT NOT NULL CHECK (field IN ('classId', 'split', 'excluded')),
      oldValue ANY,
      newValue ANY,
      PRIMARY KEY (editId, field, imageId)
    ) STRICT, WITHOUT ROWID;

    -- Values of class.mergedInto before and after a merge.
    CREATE TABLE editClass (
      editId INTEGER NOT NULL REFERENCES edit,
      classId INTEGER NOT NULL REFERENCES class,
      oldValue INTEGER REFERENCES class,
      newValue INTEGER REFERENCES class,
      PRIMARY KEY (editId, classId)
    ) STRICT, WITHOUT ROWID;
  `);
  connection.execute(`
    CREATE TABLE run (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      method TEXT NOT NULL,
      config TEXT NOT NULL CHECK (json_valid(config)),
      seed INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'stopped', 'finished', 'failed')),
      reason TEXT,
      createdAt TEXT NOT NULL,
      startedAt TEXT,
      endedAt TEXT,
      seconds REAL NOT NULL,
      datasetHash TEXT NOT NULL,
      datasetBlob TEXT NOT NULL,
      bankHash TEXT,
      bankBlob TEXT,
      engine TEXT NOT NULL CHECK (json_valid(engine)),
      codeVersion TEXT NOT NULL,
      modelBlob TEXT,
      predictionsBlob TEXT,
      figures TEXT NOT NULL CHECK (json_valid(figures))
    ) STRICT;

    CREATE TABLE runEpoch (
      runId INTEGER NOT NULL REFERENCES run,
      epoch INTEGER NOT NULL CHECK (epoch >= 0),
      figures TEXT NOT NULL CHECK (json_valid(figures)),
      PRIMARY KEY (runId, epoch)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE runWarning (
      runId INTEGER NOT NULL REFERENCES run,
      epoch INTEGER NOT NULL CHECK (epoch >= 0),
      name TEXT NOT NULL,
      message TEXT NOT NULL,
      PRIMARY KEY (runId, epoch, name)
    ) STRICT, WITHOUT ROWID;
  `);
  // The unique pair of a mask lets a parent and a context's mask be held to the same image.
  connection.execute(`
    CREATE TABLE saliency (
      id INTEGER PRIMARY KEY,
      imageId INTEGER NOT NULL REFERENCES image,
      modelHash TEXT NOT NULL,
      layer TEXT NOT NULL,
      runId INTEGER REFERENCES run,
      blob TEXT NOT NULL,
      width INTEGER NOT NULL CHECK (width > 0),
      height INTEGER NOT NULL CHECK (height > 0),
      probability REAL NOT NULL CHECK (probability BETWEEN 0 AND 1),
      probabilityFrom TEXT NOT NULL CHECK (probabilityFrom IN ('held-out', 'on-line', 'training')),
      createdAt TEXT NOT NULL,
      UNIQUE (imageId, id)
    ) STRICT;

    CREATE TABLE mask (
      id INTEGER PRIMARY KEY,
      imageId INTEGER NOT NULL REFERENCES image,
      parentId INTEGER,
      origin TEXT NOT NULL CHECK (origin IN ('soft', 'threshold', 'edit', 'import')),
      saliencyId INTEGER,
      params TEXT NOT NULL CHECK (json_valid(params)),
      blob TEXT NOT NULL,
      width INTEGER NOT NULL CHECK (width > 0),
      height INTEGER NOT NULL CHECK (height > 0),
      area REAL NOT NULL CHECK (area BETWEEN 0 AND 1),
      author TEXT NOT NULL,
      createdAt TEXT NOT NULL,
      UNIQUE (imageId, id),
      FOREIGN KEY (imageId, parentId) REFERENCES mask (imageId, id),
      FOREIGN KEY (imageId, saliencyId) REFERENCES saliency (imageId, id)
    ) STRICT;

    CREATE TABLE context (
      id INTEGER PRIMARY KEY,
      imageId INTEGER NOT NULL UNIQUE REFERENCES image,
      maskId INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('undecided', 'accepted', 'rejected')),
      probability REAL NOT NULL CHECK (probability BETWEEN 0 AND 1),
      createdAt TEXT NOT NULL,
      FOREIGN KEY (imageId, maskId) REFERENCES mask (imageId, id)
    ) STRICT;
    CREATE INDEX contextState ON context (state);

    CREATE TABLE contextEvent (
      id INTEGER PRIMARY KEY,
      contextId INTEGER NOT NULL REFERENCES context,
      action TEXT NOT NULL CHECK (action IN ('created', 'accepted', 'rejected', 'undecided', 'mask')),
      maskId INTEGER NOT NULL REFERENCES mask,
      author TEXT NOT NULL,
      at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX contextEventContext ON contextEvent (contextId);

    CREATE TABLE export (
      id INTEGER PRIMARY KEY,
      path TEXT NOT NULL,
      recipe TEXT NOT NULL CHECK (json_valid(recipe)),
      state TEXT NOT NULL CHECK (state IN ('running', 'stopped', 'finished', 'verified', 'failed')),
      datasetHash TEXT NOT NULL,
      manifestHash TEXT,
      images INTEGER NOT NULL CHECK (images >= 0),
      createdAt TEXT NOT NULL,
      endedAt TEXT
    ) STRICT;
    CREATE INDEX exportPath ON export (path);

    CREATE TABLE exportItem (
      exportId INTEGER NOT NULL REFERENCES export,
      file TEXT NOT NULL,
      imageId INTEGER NOT NULL REFERENCES image,
      contextId INTEGER REFERENCES context,
      maskId INTEGER REFERENCES mask,
      lambda REAL,
      PRIMARY KEY (exportId, file)
    ) STRICT, WITHOUT ROWID;
  `);
}
