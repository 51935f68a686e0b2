/** The forms of names and ids (CONTRACT §1). No imports: the command line's quick path reads them. */

/** A unit's name. */
export const NAME_PATTERN = /^[a-z][a-z0-9-]{0,31}$/;
/** A job's id: three or more of [0-9A-Za-z], the first a digit, so that no id is a name. */
export const JOB_ID_PATTERN = /^[0-9][0-9A-Za-z]{2,}$/;
