using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Formatting;

namespace NullTextResearch.Kernel.Tests.Engine;

/// <summary>Connects a language whose only statements are "name", which shows a variable, and "wait", which waits in its own way.</summary>
internal sealed class EchoConnector : ILanguageConnector
{
    public string Kind => "echo";

    public ICellLanguage Connect(string name, DirectiveOptions options, CellContext cell)
    {
        if (options.Find("fail") is { } why)
            throw new CellException("ConnectError", why);
        return new Echo(name);
    }

    private sealed class Echo(string name) : ICellLanguage
    {
        private readonly Dictionary<string, SharedVariable> _variables = [];

        public string Name => name;

        public void Run(CodeRun run)
        {
            string code = run.Code.Trim();
            if (code.StartsWith("wait", StringComparison.Ordinal))
            {
                Console.WriteLine("go");
                run.Cell.RunElsewhere(insisted =>
                {
                    run.Cell.Cancel.WaitHandle.WaitOne();
                    if (code == "wait twice")
                        insisted.WaitHandle.WaitOne();
                });
                throw new OperationCanceledException("stopped");
            }

            if (run.WantsResult)
                run.ShowResult(_variables[code].Value);
        }

        public Completions Complete(string code, int position) => new(position, position, [new Completion("echoed", "word")]);

        public IReadOnlyList<VariableSummary> Variables() =>
            [.. _variables.Select(v => new VariableSummary(v.Key, v.Value.Type.Name, ValueFormatter.Short(v.Value.Value)))];

        public SharedVariable? Get(string name) => _variables.GetValueOrDefault(name);

        public void Set(string name, SharedVariable variable) => _variables[name] = variable;

        public void Dispose() => Notebook.Host?.Display($"{name} ended");
    }
}
