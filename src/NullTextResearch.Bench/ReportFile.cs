namespace NullTextResearch.Bench;

/// <summary>A Markdown file that holds one report of each kind, a first-level heading each.</summary>
internal static class ReportFile
{
    /// <summary>Puts a report in the place of the one whose heading is the same up to the first comma (a date follows it), or at the end.</summary>
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
