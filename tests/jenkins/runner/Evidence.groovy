import java.nio.file.Files
import java.nio.file.FileSystems
import java.nio.file.Path
import java.nio.file.StandardCopyOption
import javax.xml.parsers.DocumentBuilderFactory

/** What a build keeps: test results, artifacts and pages, copied out of the workspace into the build's folder. */
class Evidence {
    private final Build build

    Evidence(Build build) {
        this.build = build
    }

    /** Reads every result file; a failed test makes the build unstable and does not end it. */
    void junit(Map how) {
        Steps.only(how, ['testResults'], ['keepProperties', 'allowEmptyResults'])
        def files = matching(how.testResults as String)
        if (!files && !how.allowEmptyResults) {
            throw new Ended(Result.FAILURE, "No test report files were found. Configuration error?")
        }
        def results = files.collectMany { cases(it.toFile()) }
        new File(build.folder, 'junit.tsv').append(results.collect { it.join('\t') + '\n' }.join())
        def failed = results.count { it[-1] == 'failed' }
        build.say "[junit] ${results.size()} tests, $failed failed"
        if (failed) {
            build.worse(Result.UNSTABLE)
        }
    }

    private static List<List<String>> cases(File file) {
        def document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file)
        def found = document.getElementsByTagName('testcase')
        (0..<found.length).collect {
            def test = found.item(it)
            def inside = (0..<test.childNodes.length).collect { n -> test.childNodes.item(n).nodeName }
            def suite = test.parentNode.attributes.getNamedItem('name')?.value ?: ''
            def outcome = inside.any { name -> name in ['failure', 'error'] } ? 'failed' : 'skipped' in inside ? 'skipped' : 'passed'
            [suite, test.getAttribute('classname'), test.getAttribute('name'), outcome]
        }
    }

    void archive(Map how) {
        Steps.only(how, ['artifacts'], ['fingerprint', 'allowEmptyArchive'])
        def files = matching(how.artifacts as String)
        if (!files && !how.allowEmptyArchive) {
            throw new Ended(Result.FAILURE, "No artifacts found that match the file pattern \"$how.artifacts\"")
        }
        copy(files, build.workspace.toPath(), new File(build.folder, 'archive').toPath())
    }

    void publish(Map how) {
        Steps.only(how, ['reportName', 'reportDir', 'reportFiles', 'keepAll', 'alwaysLinkToLastBuild', 'allowMissing'], [])
        def from = new File(build.workspace, how.reportDir as String)
        if (!new File(from, how.reportFiles as String).exists()) {
            if (!how.allowMissing) {
                throw new Ended(Result.FAILURE, "Specified HTML directory '$from' does not exist.")
            }
            return
        }
        def files = Files.walk(from.toPath()).filter { Files.isRegularFile(it) }.toList()
        copy(files, from.toPath(), new File(build.folder, "htmlreports/$how.reportName").toPath())
    }

    private List<Path> matching(String pattern) {
        def wanted = FileSystems.default.getPathMatcher("glob:${pattern.replace('**/', '{,**/}')}")     // Ant's ** may be no folder at all
        def root = build.workspace.toPath()
        Files.walk(root).filter { Files.isRegularFile(it) && wanted.matches(root.relativize(it)) }.sorted().toList()
    }

    private static void copy(List<Path> files, Path from, Path to) {
        files.each {
            def place = to.resolve(from.relativize(it))
            Files.createDirectories(place.parent)
            Files.copy(it, place, StandardCopyOption.REPLACE_EXISTING)
        }
    }
}
