import { type Asked, isOpen, type Question, questionKey } from "../model/asked.ts";

/** Open questions of a machine, kept in this browser: after a reload, with the machine away, they can still be read and answered. */
export interface AskedMemory {
  read(): Promise<Asked | undefined>;
  /** Gathers what comes at once; says nothing of what the browser refuses. */
  write(asked: Asked): void;
  /** This browser is not let in any more. */
  forget(): Promise<void>;
}

const DATABASE = "warren-asked";
const QUESTIONS = "questions";
const GATHER_MS = 500;
const QUESTIONS_MAX = 50;
/** A question with more than this is not kept: its arguments hold a whole file, and a shortened one could not be answered. */
const QUESTION_CHARS_MAX = 256 * 1024;

export function askedMemory(machine: string, factory: IDBFactory = indexedDB): AskedMemory {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = "";
  const use = async <T>(mode: IDBTransactionMode, work: (questions: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const database = await opened(factory);
    try {
      return await settled(work(database.transaction(QUESTIONS, mode).objectStore(QUESTIONS)));
    } finally {
      database.close();
    }
  };
  const keep = (asked: Asked): void => {
    timer = undefined;
    const text = keptText(asked);
    if (text === last) return;
    last = text;
    use("readwrite", (questions) => questions.put(text, machine)).catch(() => {}); // it is only not remembered
  };
  let newest: Asked = new Map();
  return {
    read: async () => {
      const text = await use("readonly", (questions) => questions.get(machine)).catch(() => undefined);
      return typeof text === "string" ? askedOf(text) : undefined;
    },
    write: (asked) => {
      newest = asked;
      timer ??= setTimeout(() => keep(newest), GATHER_MS);
    },
    forget: async () => {
      clearTimeout(timer);
      await use("readwrite", (questions) => questions.delete(machine)).catch(() => {});
    },
  };
}

/** As it lies in the browser. */
export const keptText = (asked: Asked): string =>
  `[${[...asked.values()]
    .filter(isOpen)
    .slice(-QUESTIONS_MAX)
    .map((question) => JSON.stringify(question))
    .filter((text) => text.length <= QUESTION_CHARS_MAX)
    .join(",")}]`;

/** Undefined: of another version of the app. */
export function askedOf(text: string): Asked | undefined {
  try {
    const questions = JSON.parse(text) as Question[];
    return new Map(questions.map((one) => [questionKey(one.session, one.question.id), one]));
  } catch {
    return undefined;
  }
}

function opened(factory: IDBFactory): Promise<IDBDatabase> {
  const request = factory.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(QUESTIONS);
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
