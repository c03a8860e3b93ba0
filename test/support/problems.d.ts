/** The lines of the InputError that a promise rejects with; any other outcome fails the test. */
export declare function problemsOf(promise: Promise<unknown>): Promise<string[]>;
