// One kernel of a process takes its console, and one host is attached at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
