import type { GoalId } from './goals.ts';

/** For a goal that is missed: what was tried, and what limits it. No figures here: those are measured. */
export const GOAL_NOTES: Readonly<Partial<Record<GoalId, string>>> = {};
