/** What each kind of problem that an import notes means for the data set, and what a person can do about it. */

export interface ProblemText {
  /** A name for a list, as in "Damaged pictures". */
  title: string;
  meaning: string;
  advice: string;
  /** What `Problem.path` names: a picture that is used, a file that is not, a folder, a class, the source as a whole. */
  about: 'image' | 'file' | 'folder' | 'class' | 'source';
}

const text = (about: ProblemText['about'], title: string, meaning: string, advice: string): ProblemText => ({
  about,
  title,
  meaning,
  advice,
});

const NOTHING = 'Nothing needs to be done.';

export const PROBLEM_TEXTS: Readonly<Record<string, ProblemText>> = {
  damaged: text(
    'file',
    'Damaged pictures',
    'The file is cut off or broken, so it is left out.',
    'Copy the file again from where it came from, then scan the source again.',
  ),
  'empty-file': text(
    'file',
    'Empty files',
    'The file has no content, so it is left out.',
    'Copy the file again or delete it, then scan the source again.',
  ),
  unreadable: text(
    'file',
    'Unreadable files',
    'The system did not let the file be read, so it is left out.',
    'Check the permissions of the file and the disk it lies on, then scan the source again.',
  ),
  'unreadable-folder': text(
    'folder',
    'Unreadable folders',
    'Nothing in the folder could be seen.',
    'Check the permissions of the folder, then scan the source again.',
  ),
  changing: text(
    'file',
    'Files that changed meanwhile',
    'Something was still writing the file while it was read, so it is left out.',
    'Scan the source again when the copy is complete.',
  ),
  'too-large': text(
    'file',
    'Files that are too large',
    'Files over 1 GiB are not read as pictures.',
    'Save the picture smaller or with compression.',
  ),
  'unsupported-format': text(
    'file',
    'Pictures in other formats',
    'JPEG, PNG, WebP, GIF, TIFF and BMP are read; this file is a picture of another format and is left out.',
    'Convert the files to JPEG or PNG, then scan the source again.',
  ),
  'not-an-image': text('file', 'Files that are no pictures', 'Other files among the pictures are left out.', NOTHING),
  'no-class': text(
    'file',
    'Pictures without a class',
    'The picture lies in no class folder (or its row has no label), so nobody knows what it shows; it is left out.',
    'Move it into the folder of its class, or import with the other layout.',
  ),
  'no-split': text(
    'file',
    'Pictures in no split',
    'Beside train, val and test folders lies something else, which is left out.',
    'Rename the folder, or import with the layout in which all folders are classes.',
  ),
  'outside-layout': text(
    'file',
    'Pictures beside the data set',
    'At the first import all pictures lay in one folder; these lie beside it and are left out.',
    'Move them into that folder, or import with a layout chosen by hand.',
  ),
  'csv-row': text(
    'source',
    'Rows that cannot be read',
    'A row of the list is malformed and is left out.',
    'Correct the row in the CSV file, then scan the source again.',
  ),
  'label-conflict': text(
    'file',
    'Pictures with two labels',
    'The list names the picture twice with different labels; the first one counts.',
    'Take the wrong row out of the CSV file.',
  ),
  'repeated-name': text(
    'file',
    'Names that occur twice',
    'The same name is there more than once; the first one is used.',
    'Nothing needs to be done unless the other one was meant.',
  ),
  'unsafe-name': text(
    'file',
    'Unsafe names',
    'The name would lead out of the zip file, so the file is not read.',
    'Unpack the zip file yourself and import the folder if you trust it.',
  ),
  'too-deep': text(
    'folder',
    'Folders that lie too deep',
    'Folders are read 64 levels deep; what lies deeper is left out.',
    'Move the folder up.',
  ),
  'link-loop': text(
    'folder',
    'Links that go round in circles',
    'The link leads back to a folder that holds it; it is not followed.',
    NOTHING,
  ),
  'link-repeated': text(
    'folder',
    'Links to the same folder',
    'Several links lead to one folder, which was read often enough.',
    'Remove links that are not needed.',
  ),
  'not-a-file': text('file', 'Neither file nor folder', 'Devices, pipes and sockets are not read.', NOTHING),
  'hidden-file': text('file', 'Hidden files', 'Names that begin with a dot are not read.', NOTHING),
  'system-file': text('file', 'Files of the system', 'What systems leave among files is not read.', NOTHING),
  'own-file': text('file', 'Files of Contexture', 'Project files and their folders are not read.', NOTHING),
  vanished: text(
    'image',
    'Pictures that are gone',
    'The picture was there at an earlier import. It is kept as missing and not used until it is back.',
    'Put the file back and scan again, or relink the source if it has moved.',
  ),
  'content-changed': text(
    'image',
    'Pictures with new content',
    'The file has other content than at the last import. The new one is used; its context must be looked at again.',
    'Look at the pictures if the change was not meant.',
  ),
  'misleading-ending': text(
    'image',
    'Endings that mislead',
    'The file is a picture of another format than its name says; it is used all the same.',
    NOTHING,
  ),
  'first-frame': text(
    'image',
    'Animations and pages',
    'Only the first frame or page is used.',
    'Save the other frames as pictures of their own if they are wanted.',
  ),
  'unusual-depth': text(
    'image',
    'Unusual depth',
    'The picture has neither 8 nor 16 bits a value and may come out black or white.',
    'Look at it; convert it to 8 bits if it does.',
  ),
  'name-not-utf8': text(
    'file',
    'Names in another encoding',
    'The name is not valid UTF-8. The file is read; the name is shown with codes.',
    NOTHING,
  ),
  'layout-doubt': text(
    'source',
    'Doubts about the layout',
    'The folders could be read in another way than they were.',
    'Check the classes below; if they are splits or the other way round, import with a layout chosen by hand.',
  ),
  'empty-class': text(
    'folder',
    'Empty folders',
    'The folder has no usable picture and makes no class.',
    'Put pictures into it or delete it.',
  ),
  'no-training-images': text(
    'class',
    'Classes that cannot be learned',
    'The class has test pictures but none for training.',
    'Add training pictures, merge the class into another, or exclude its pictures.',
  ),
  'few-images': text(
    'class',
    'Classes with very few pictures',
    'Under 5 training pictures are hardly enough to learn from, with any method.',
    'Add pictures, or merge the class into a similar one.',
  ),
  'case-twins': text(
    'class',
    'Classes that differ by case only',
    'Two classes have the same name but for upper and lower case, and are kept apart.',
    'Merge them if they are one class.',
  ),
  'unicode-name': text(
    'class',
    'One class, several spellings',
    'Folders whose names look the same but are stored differently are taken as one class.',
    NOTHING,
  ),
  'nested-classes': text(
    'source',
    'Nested classes',
    'Folders inside class folders are classes of their own, named by their path.',
    'Merge those that are one class, or import with the other layout.',
  ),
};

/** The texts of a kind; of one that a newer program has noted, what can be said without knowing it. */
export function problemText(kind: string): ProblemText {
  return Object.hasOwn(PROBLEM_TEXTS, kind)
    ? PROBLEM_TEXTS[kind]
    : text('file', kind.replaceAll('-', ' '), 'The import noted this.', 'Read the reason of each.');
}
