namespace NullTextResearch.Bench;

/// <summary>A Markdown file with one report of each kind, each under a first-level heading.</summary>
internal static class ReportFile
{
    /// <summary>Replaces the report whose heading is the same up to the first comma (a date follows it), or appends the report.</summary>
    public static void Put(string path, string report)
    {
        List<string> parts = [];
        foreach (string line in File.Exists(path) ? File.ReadAllLines(path) : [])
        {
            if (parts.Count == 0 || line.StartsWith("# ", StringComparison.Ordinal))
                parts.Add(line + "\n");
            else
                parts[^1] += line + "\n";
        }
        string text = report.TrimEnd() + "\n";
        int at = parts.FindIndex(p => p.StartsWith("# ", StringComparison.Ordinal) && p.Split(',')[0] == text.Split(',')[0]);
        if (at >= 0)
            parts[at] = text;
        else
            parts.Add(text);
        File.WriteAllText(path, string.Join("\n", parts.Select(p => p.TrimEnd() + "\n")));
    }
}
