using System.CommandLine;
using NullTextResearch.Cli.Running;

namespace NullTextResearch.Cli.Commands;

/// <summary><c>nulltext completion</c>: prints a script with which a shell completes verbs, options and values; the program answers its queries.</summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = """
            # nulltext completion bash: in ~/.bashrc, add:  source <(nulltext completion bash)
            _nulltext() {
                local current="${COMP_WORDS[COMP_CWORD]}"
                mapfile -t COMPREPLY < <(nulltext "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
                # Of a word that bash splits at ':' or '=', only the last part is completed.
                mapfile -t COMPREPLY < <(compgen -W "${COMPREPLY[*]}" -- "${current}")
            }
            complete -o default -F _nulltext nulltext
            """,
        ["zsh"] = """
            #compdef nulltext
            # nulltext completion zsh: in ~/.zshrc, after compinit, add:  source <(nulltext completion zsh)
            _nulltext() {
                local line="${(j: :)words[1,CURRENT]}"
                local -a found
                found=("${(@f)$(nulltext "[suggest:${#line}]" "$line" 2>/dev/null)}")
                found=("${(@)found:#}")
                if (( ${#found} )); then
                    compadd -- "${found[@]}"
                else
                    _files
                fi
            }
            (( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit; }
            compdef _nulltext nulltext
            """,
        ["fish"] = """
            # nulltext completion fish: once, run:  nulltext completion fish > ~/.config/fish/completions/nulltext.fish
            function __nulltext_complete
                set -l line (commandline -cp)
                set -l found (nulltext "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)
                if test (count $found) -gt 0
                    printf '%s\n' $found
                else
                    __fish_complete_path (commandline -ct)
                end
            end
            complete -c nulltext -f -a '(__nulltext_complete)'
            """,
        ["pwsh"] = """
            # nulltext completion pwsh: in $PROFILE, add:  nulltext completion pwsh | Out-String | Invoke-Expression
            Register-ArgumentCompleter -Native -CommandName nulltext -ScriptBlock {
                param($wordToComplete, $commandAst, $cursorPosition)
                # The syntax tree of the command line drops trailing blanks.
                $line = $commandAst.ToString().PadRight($cursorPosition)
                nulltext "[suggest:$cursorPosition]" $line 2>$null | ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
                }
            }
            """,
    };

    public static Command Create()
    {
        Argument<string> shell = new("SHELL") { Description = $"One of: {string.Join(", ", Scripts.Keys)}." };
        shell.CompletionSources.Add([.. Scripts.Keys]);
        shell.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !Scripts.ContainsKey(result.Tokens[0].Value))
                result.AddError($"there is no script for '{result.Tokens[0].Value}'; the shells are: {string.Join(", ", Scripts.Keys)}.");
        });
        Command command = new("completion", "Print a script that lets a shell complete commands, options and values.") { shell };
        // Not through the runner: it does not need libtorch, and a shell waits for it.
        command.SetAction(parsed =>
        {
            Console.Out.WriteLine(Scripts[parsed.GetValue(shell)!].ReplaceLineEndings("\n"));
            return CommandRunner.Done;
        });
        return command.WithExamples("nulltext completion bash", "nulltext completion fish");
    }
}
