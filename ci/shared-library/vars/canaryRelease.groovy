/**
 * Releases an image step by step, or takes it back: the stage Release of ci/Jenkinsfile as one step.
 *
 *     canaryRelease image: readFile('target/image.txt').trim(), target: 'prod-eu'
 *
 * image       with a tag, or better a digest
 * target      the context of the kubeconfig to release to
 * release     the release file; release.yaml
 * reports     the folder for all evidence; reports
 * lock        what is locked; the job's name. Two jobs that release one service have to name the same
 * kubeconfig  id of the credential, a secret file; kubeconfig
 * gitops      id of the credential, user name and password; gitops
 */
def call(Map asked) {
    Map known = [image: null, target: null, release: 'release.yaml', reports: 'reports', lock: env.JOB_NAME,
                 kubeconfig: 'kubeconfig', gitops: 'gitops']
    Map all = known + asked
    def wrong = (all.keySet() - known.keySet()) + all.findAll { !it.value }.keySet()
    if (wrong) {
        error "canaryRelease: unknown or missing: ${wrong.join(', ')}"
    }
    milestone()
    lock(resource: all.lock, inversePrecedence: true) {
        milestone()
        withEnv(["RELEASE=${all.release}", "IMAGE=${all.image}", "TARGET=${all.target}", "REPORTS=${all.reports}"]) {
            withCredentials([file(credentialsId: all.kubeconfig, variable: 'KUBECONFIG'),
                             gitUsernamePassword(credentialsId: all.gitops, gitToolName: 'Default')]) {
                try {
                    sh 'rm -rf "./$REPORTS"'     // what an earlier build has left would be read as this one's
                    sh 'sluicegate run "$RELEASE" --image "$IMAGE" --target "$TARGET" --reports "$REPORTS"'
                } catch (failed) {
                    // Aborted: the driver may still be taking back, and is waited for. Killed: its canary is still there.
                    sh script: 'sluicegate recover "$RELEASE" --target "$TARGET" --reports "$REPORTS" --wait 10m',
                       returnStatus: true   // the build ends as it would have: aborted, or failed
                    throw failed
                } finally {
                    junit testResults: "${all.reports}/**/*.xml", keepProperties: true, allowEmptyResults: true
                    archiveArtifacts artifacts: "${all.reports}/**", allowEmptyArchive: true
                    publishHTML target: [reportName: 'Release', reportDir: "${all.reports}/report",
                                         reportFiles: 'index.html', keepAll: true, alwaysLinkToLastBuild: true,
                                         allowMissing: true]
                }
            }
        }
    }
}
