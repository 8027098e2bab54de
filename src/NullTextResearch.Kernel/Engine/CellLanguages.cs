namespace NullTextResearch.Kernel.Engine;

/// <summary>The languages of a session: those available from the start, those that start on first use, and connected kernels.</summary>
internal sealed class CellLanguages : IDisposable
{
    private readonly LanguageSession _session;
    private readonly List<ICellLanguage> _members;
    private readonly List<LanguageFactory> _waiting;
    private readonly Lock _gate = new();
    private Dictionary<string, string> _names = new(CellPlan.Languages, StringComparer.OrdinalIgnoreCase);

    public CellLanguages(LanguageSession session, IEnumerable<ICellLanguage> members, IEnumerable<LanguageFactory> waiting)
    {
        _session = session;
        _members = [.. members];
        _waiting = [.. waiting];
    }

    /// <summary>Names that cells may switch to, including languages that this program does not run.</summary>
    public IReadOnlyDictionary<string, string> Names => Volatile.Read(ref _names);

    /// <summary>Whether the language with a name runs or can be started. May be called from any thread.</summary>
    public bool Has(string name)
    {
        lock (_gate)
            return _members.Any(m => m.Name == name) || _waiting.Any(w => w.Name == name);
    }

    /// <summary>The language with a name, started if necessary; null if there is none.</summary>
    public ICellLanguage? Find(string name)
    {
        if (_members.Find(m => m.Name == name) is { } member)
            return member;
        if (_waiting.Find(w => w.Name == name) is not { } factory)
            return null;
        ICellLanguage started = factory.Create(_session);
        lock (_gate)
        {
            _waiting.Remove(factory);
            _members.Add(started);
        }

        return started;
    }

    /// <summary>The language with a name, started if necessary.</summary>
    /// <param name="name">Any of its names.</param>
    /// <param name="line">The line of the cell that names it.</param>
    /// <exception cref="CellException">There is no such language.</exception>
    public ICellLanguage Require(string name, int line) =>
        Find(Names.GetValueOrDefault(name, name))
        ?? throw new CellException(
            "LanguageError",
            $"Line {line}: there is no language '{name}' in this session. Available: {string.Join(", ", Names.Values.Distinct().Where(Has))}; #!connect "
                + "starts others."
        );

    /// <summary>Adds a connected kernel; ends an earlier one with the same name.</summary>
    public void Add(string name, ICellLanguage language)
    {
        ICellLanguage? before = _members.Find(m => m.Name == name);
        lock (_gate)
        {
            if (before is not null)
                _members.Remove(before);
            _members.Add(language);
        }

        Volatile.Write(ref _names, new Dictionary<string, string>(_names, StringComparer.OrdinalIgnoreCase) { [name] = name });
        before?.Dispose();
    }

    /// <summary>Passes references on to the running languages; one that starts later reads them from the catalogue.</summary>
    public void AddReferences(IReadOnlyList<string> paths)
    {
        foreach (ICellLanguage member in _members)
            member.AddReferences(paths);
    }

    /// <summary>Variables of all running languages.</summary>
    public IEnumerable<(string Language, VariableSummary Variable)> Variables() => _members.SelectMany(m => m.Variables().Select(v => (m.Name, v)));

    /// <summary>Names of all variables: on one line if only C# has any, else one line per language.</summary>
    public string Who()
    {
        (string Language, string Names)[] all =
        [
            .. Variables().GroupBy(v => v.Language, v => v.Variable.Name, (language, names) => (language, string.Join("  ", names))),
        ];
        return all is [(CellPlan.CSharp, var only)] ? only : string.Join('\n', all.Select(l => $"{l.Language}: {l.Names}"));
    }

    public void Dispose()
    {
        ICellLanguage[] members;
        lock (_gate)
            members = [.. _members];
        foreach (ICellLanguage member in members)
            member.Dispose();
    }
}
