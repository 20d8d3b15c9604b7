/** A word or phrase that the project does not use, and the word to use instead. */
export interface BannedWord {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** Words of literary or non-native English, and terms that the field calls by another name. */
export const BANNED_WORDS: readonly BannedWord[] = [
  { pattern: /\bshall\b/gi, instead: "must, or the present tense" },
  { pattern: /\banew\b/gi, instead: "again" },
  { pattern: /\bbeside\b/gi, instead: "next to, in addition to" },
  { pattern: /\bof (its|their|his|your|our) own\b/gi, instead: "own, separate" },
  { pattern: /\bhow many-th\b/gi, instead: "index" },
  { pattern: /\bto be had\b/gi, instead: "available" },
  { pattern: /\bas good as\b/gi, instead: "almost, equivalent to" },
  { pattern: /\bwhatever\b/gi, instead: "any, regardless of" },
  { pattern: /\bfor good\b/gi, instead: "permanently" },
  { pattern: /\bstands?\b(?! (for|out|still)\b)/gi, instead: "is" },
  { pattern: /\b(everybody|nobody|somebody|whoever|those who|who it concerns)\b/gi, instead: "name the actor" },
  { pattern: /\bwithout a seam\b/gi, instead: "without a gap" },
  { pattern: /\brevealers?\b/gi, instead: "scheduled publish" },
  { pattern: /\bwaiting rooms?\b/gi, instead: "delay queue" },
  { pattern: /\brehears(e|es|ed|al|als|ing)\b/gi, instead: "dry run" },
  { pattern: /\b(mishaps?|sameness)\b/gi, instead: "error boundary, node kinds" },
  { pattern: /\bperson questions?\b/gi, instead: "human input request" },
  // In quotes it is the type of a message.
  { pattern: /(?<!")\bgood-?byes?\b(?!")/gi, instead: "close notice" },
  { pattern: /\b(come|comes|came|coming) back\b/gi, instead: "reconnect, resume, reacquire" },
  { pattern: /\b(is|are|was|were|be|been) told\b/gi, instead: "receives" },
  { pattern: /\bsay so\b|\bsays so\b/gi, instead: "report it" },
];
