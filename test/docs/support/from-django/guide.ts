/**
 * Sections of the Django guide that the page follows, in its order, with what its code blocks do there; read from the guide by
 * hand.
 */
export const GUIDE: readonly (readonly [heading: string, ...blocks: string[]])[] = [
  ['Overview'],
  ['Choosing an Approach'],
  ['django-simple-history'],
  ['Installation', 'Requirements', 'Settings: app and middleware', 'Migrate'],
  ['Adding History to Models', 'A history on a model', 'Make and run its migration'],
  ['Excluding Fields', 'Leave a field out', 'Leave the modification time out'],
  ['Querying History', 'Selectors'],
  ['Comparing Versions', 'What changed between versions'],
  ['Setting Change Reasons', 'A reason'],
  ['Admin Integration', 'History and revert in the admin'],
  ['Disabling Revert in Production', 'View only'],
  ['Bulk Operations', 'Bulk create and bulk update'],
  ['django-auditlog'],
  ['Installation', 'Requirements', 'Settings: app and middleware', 'Migrate'],
  ['Registering Models', "Register in the app's configuration", 'Register by a decorator'],
  ['Include and Exclude Fields', 'Track some fields'],
  ['Querying Audit Logs', 'Selectors'],
  ['Understanding LogEntry Fields', 'The fields', 'The changes', 'An entry for display'],
  ['Admin Integration', 'The log in the admin'],
  ['Integration with Domain Events'],
  ['Define an Audit Event', 'The event'],
  ['Emit Events from django-simple-history', 'A receiver that emits', 'Register the receiver'],
  ['Emit Events from django-auditlog', 'A receiver on the log'],
  ['Subscribe to Audit Events', 'Alert on sensitive models'],
  ['Testing Audit Functionality'],
  ['django-simple-history Tests', 'Versions'],
  ['django-auditlog Tests', 'Entries'],
  ['Performance Considerations'],
  ['History Table Growth', 'Size of a history', 'Size of the log'],
  ['Indexing', 'An index for common queries'],
  ['Archiving Old History', 'A command that archives'],
  ['Common Patterns'],
  ['Compliance Reporting', 'Reports of a period and of a user'],
  ['API Endpoints for Audit History', 'The history of an order as JSON'],
  ['Soft Deletes with History', 'A soft delete'],
  ['See Also'],
];
/** Counted in the guide. */
export const GUIDE_BLOCKS = 38;
