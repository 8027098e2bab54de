namespace NullTextResearch.Kernel.Engine;

/// <summary>The languages of a session: those that are there from the start, those that start at their first use, and connected kernels.</summary>
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

    /// <summary>What cells may switch to; also names of languages that this program does not run.</summary>
    public IReadOnlyDictionary<string, string> Names => Volatile.Read(ref _names);

    /// <summary>Whether the language of a name runs, or would if it were asked for. From any thread.</summary>
    public bool Has(string name)
    {
        lock (_gate)
            return _members.Any(m => m.Name == name) || _waiting.Any(w => w.Name == name);
    }

    /// <summary>The language of a name, started if need be, or null.</summary>
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

    /// <summary>The language of a name.</summary>
    /// <param name="name">Any of its names.</param>
    /// <param name="line">Where the cell names it.</param>
    /// <exception cref="CellException">There is none.</exception>
    public ICellLanguage Require(string name, int line) =>
        Find(Names.GetValueOrDefault(name, name))
        ?? throw new CellException(
            "LanguageError",
            $"Line {line}: there is no language '{name}' in this session. There are: {string.Join(", ", Names.Values.Distinct().Where(Has))}; #!connect "
                + "starts others."
        );

    /// <summary>Adds a connected kernel; one that had its name before ends.</summary>
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

    /// <summary>Passes references on to the languages that run; one that starts later asks the catalogue.</summary>
    public void AddReferences(IReadOnlyList<string> paths)
    {
        foreach (ICellLanguage member in _members)
            member.AddReferences(paths);
    }

    /// <summary>Variables of all languages that run.</summary>
    public IEnumerable<(string Language, VariableSummary Variable)> Variables() => _members.SelectMany(m => m.Variables().Select(v => (m.Name, v)));

    /// <summary>Their names: of C# alone as one line, else a line for each language.</summary>
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
